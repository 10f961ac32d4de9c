"""JSON pointers (RFC 6901): joining, splitting, reading and replacing values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any, Final


class _Missing:
    def __repr__(self) -> str:
        return "(absent)"

    def __reduce__(self) -> str:
        # Keeps the identity when copied or pickled.
        return "MISSING"


#: Returned by :func:`read` for an absent value; given to :func:`replaced` it removes a member.
MISSING: Final = _Missing()


def join(base: str, *parts: str | int) -> str:
    """Append reference tokens to a pointer, escaped."""
    return base + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def split(pointer: str) -> list[str]:
    """Return the reference tokens of a pointer, unescaped; the root has none."""
    return list(_tokens(pointer))


@lru_cache(8192)
def _tokens(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def read(value: Any, pointer: str) -> Any:
    """Return the value at a pointer, or :data:`MISSING`."""
    for part in _tokens(pointer):
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, list):
            value = value[int(part)] if part.isdecimal() and int(part) < len(value) else MISSING
        else:
            return MISSING
    return value


def replaced(value: Any, pointer: str, new: Any) -> Any:
    """Return a copy of a value with ``new`` at a pointer; :data:`MISSING` removes the member or item.

    An absent member is added to its object. Raises :class:`KeyError` if the parent is absent.
    """
    parts = split(pointer)
    if not parts:
        return deepcopy(new)
    # Only the containers on the path are copied: generated values are never changed in place.
    head, rest = parts[0], join("", *parts[1:])
    if isinstance(value, dict):
        copied = dict(value)
        if not rest and new is MISSING:
            copied.pop(head, None)
            return copied
        if rest and head not in copied:
            raise KeyError(pointer)
        copied[head] = replaced(copied.get(head), rest, new)
        return copied
    if isinstance(value, list) and head.isdecimal() and int(head) < len(value):
        items = list(value)
        if not rest and new is MISSING:
            del items[int(head)]
        else:
            items[int(head)] = replaced(items[int(head)], rest, new)
        return items
    raise KeyError(pointer)


def all_replaced(value: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a value with several places replaced; list items are neither added nor removed.

    Raises :class:`KeyError` if a parent is absent.
    """
    made = _copied(value)
    for pointer, new in changes.items():
        if not pointer:
            made = _copied(new)
            continue
        holder, last = read(made, pointer.rpartition("/")[0]), _tokens(pointer)[-1]
        if isinstance(holder, dict):
            holder[last] = _copied(new)
        elif isinstance(holder, list) and last.isdecimal() and int(last) < len(holder):
            holder[int(last)] = _copied(new)
        else:
            raise KeyError(pointer)
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def any_index(pointer: str) -> str:
    """Return a pointer with ``*`` for each index of a list."""
    return re.sub(r"/(?:[0-9]+|\*)(?=/|\Z)", "/*", pointer)


def matches(pattern: str, pointer: str) -> bool:
    """Whether a pointer matches a pattern, in which ``*`` stands for any one token."""
    wanted, found = split(pattern), split(pointer)
    return len(wanted) == len(found) and all(a in ("*", b) for a, b in zip(wanted, found, strict=True))


def expand(value: Any, pattern: str) -> list[str]:
    """Return the pointers in a value that match a pattern; the last member may be absent."""
    found: Iterable[tuple[str, Any]] = [("", value)]
    parts = split(pattern)
    for at, part in enumerate(parts):
        following = []
        for pointer, inner in found:
            if part == "*":
                if isinstance(inner, dict | list):
                    rows = inner.items() if isinstance(inner, dict) else enumerate(inner)
                    following += [(join(pointer, key), item) for key, item in rows]
            else:
                there = read(inner, join("", part))
                if there is not MISSING or (at == len(parts) - 1 and isinstance(inner, dict)):
                    following.append((join(pointer, part), there))
        found = following
    return [pointer for pointer, _ in found]
