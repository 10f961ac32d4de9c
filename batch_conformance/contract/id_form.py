"""The form of batch ids. No page defines one: it can only be read off the ids that a server issued."""

from __future__ import annotations

import re
from collections.abc import Collection

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def is_uuid(value: str) -> bool:
    """Whether an id is a UUID in its usual form (RFC 9562, 4)."""
    return _UUID.fullmatch(value) is not None


def is_of_another_form(value: str, known: Collection[str]) -> bool:
    """Whether a server that checks the form of ids may refuse this one as malformed, going by the ids it issued."""
    if not _PLAIN.fullmatch(value):
        return True
    return any(all(map(form, known)) and not form(value) for form in (is_uuid, str.isdigit))
