"""JSON pointers (RFC 6901): joining, splitting, reading, and changing one place of a value."""

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
        # Copied or pickled, it stays the one object that it is compared with.
        return "MISSING"


#: What :func:`read` answers where nothing is, and what :func:`replaced` takes to remove a member.
MISSING: Final = _Missing()


def join(base: str, *parts: str | int) -> str:
    """Append reference tokens to a pointer, escaped."""
    return base + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def split(pointer: str) -> list[str]:
    """Reference tokens of a pointer, unescaped. The root has none."""
    return list(_tokens(pointer))


@lru_cache(8192)
def _tokens(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def read(value: Any, pointer: str) -> Any:
    """The value at a pointer, or :data:`MISSING`."""
    for part in _tokens(pointer):
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, list):
            value = value[int(part)] if part.isdecimal() and int(part) < len(value) else MISSING
        else:
            return MISSING
    return value


def replaced(value: Any, pointer: str, new: Any) -> Any:
    """A copy of a value with another one at a pointer; :data:`MISSING` as the new one removes the member.

    A member that is not there yet is added to its object. Raises :class:`KeyError` where no parent is.
    """
    parts = split(pointer)
    if not parts:
        return deepcopy(new)
    # Only what lies on the way is copied: nobody changes a generated value in place.
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
    """A copy of a value with others at several pointers, in one go; none of them removes or adds an item of a list.

    Raises :class:`KeyError` where no parent is.
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
    """The pointer with ``*`` for each index of a list."""
    return re.sub(r"/(?:[0-9]+|\*)(?=/|\Z)", "/*", pointer)


def matches(pattern: str, pointer: str) -> bool:
    """Whether a pointer is an instance of a pattern, in which ``*`` stands for any one token."""
    wanted, found = split(pattern), split(pointer)
    return len(wanted) == len(found) and all(a in ("*", b) for a, b in zip(wanted, found, strict=True))


def expand(value: Any, pattern: str) -> list[str]:
    """Pointers into a value that a pattern stands for; the last token need not be there."""
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
