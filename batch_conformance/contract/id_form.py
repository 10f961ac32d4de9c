"""The form of batch ids, inferred from the ids that a server issued: no page defines one (decision 18)."""

from __future__ import annotations

import re
import string
from collections.abc import Collection

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def is_uuid(value: str) -> bool:
    """Whether an id is a UUID in its usual form (RFC 9562, 4)."""
    return _UUID.fullmatch(value) is not None


def is_plain(value: str) -> bool:
    """Whether an id has only letters, digits, ``-`` and ``_``, which no path encoding changes."""
    return _PLAIN.fullmatch(value) is not None


def same_uuid(value: str, known: Collection[str]) -> str | None:
    """Return the known id that ``value`` is another spelling of, if all known ids are UUIDs; else None.

    Only the hexadecimal digits are compared, not their case, dashes, braces or ``urn:uuid:``.
    """
    if not known or not all(map(is_uuid, known)) or not value.isascii():
        return None
    return next((item for item in known if _digits(item) == _digits(value)), None)


def _digits(value: str) -> str:
    plain = value.lower().removeprefix("urn:uuid:")
    if plain.startswith("{") and plain.endswith("}"):
        plain = plain[1:-1]
    return plain.replace("-", "")


def is_of_another_form(value: str, known: Collection[str]) -> bool:
    """Whether an id differs in form from all known ids, so that a server may refuse it as malformed.

    The form is what all known ids share: being UUIDs or numbers, a prefix, a length, the kinds of characters
    (per position where the length is fixed), hexadecimal digits.
    """
    if not is_plain(value):
        return True
    if not known:
        return False
    if any(all(map(form, known)) and not form(value) for form in (is_uuid, str.isdigit)):
        return True
    prefix = _prefix(known)
    if not value.startswith(prefix):
        return True
    body, bodies = value[len(prefix) :], [item[len(prefix) :] for item in known]
    if all(map(_is_hexadecimal, bodies)) and not _is_hexadecimal(body):
        return True
    if len({len(item) for item in bodies}) > 1:
        kinds = {_kind(char) for item in bodies for char in item}
        return any(_kind(char) not in kinds for char in body)
    return len(body) != len(bodies[0]) or any(
        _kind(char) not in {_kind(item[place]) for item in bodies} for place, char in enumerate(body)
    )


def _prefix(known: Collection[str]) -> str:
    """Return the part up to the last separator if all known ids share it, else the empty string."""
    first, *others = (item[: max(item.rfind("_"), item.rfind("-")) + 1] for item in known)
    return first if all(other == first for other in others) else ""


def _is_hexadecimal(body: str) -> bool:
    return all(char in string.hexdigits for char in body)


def _kind(char: str) -> str:
    for name, kind in (
        ("a", string.ascii_lowercase),
        ("A", string.ascii_uppercase),
        ("0", string.digits),
    ):
        if char in kind:
            return name
    return char
