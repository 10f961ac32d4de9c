"""Reads headers, statuses and bodies in the formats of recorders and mocks."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batch_conformance.recorded.reading import BODY_LIMIT, Members, Unreadable, written
from batch_conformance.recorded.recording import Headers

#: Names of a response's body; ``response`` is nock's.
BODY_NAMES = ("body", "jsonBody", "base64Body", "json", "data", "text", "content", "response")
STATUS_NAMES = ("status", "statusCode", "status_code", "code")
_JSON_NAMES = frozenset({"jsonBody", "json"})
_TEXT_OBJECT = frozenset({"string", "base64_string", "text", "encoding"})
#: Members of HAR's ``content``, which may also have vendor extensions, e.g. the name of a file with the body.
_HAR_CONTENT = frozenset({"size", "mimeType"})
_GZIP = b"\x1f\x8b"


def once(value: Mapping[str, Any], place: str) -> None:
    """Check that an object has no duplicate names. Raises :class:`Unreadable`."""
    if isinstance(value, Members) and value.repeated is not None:
        raise Unreadable(f"{place}: {value.repeated!r} stands twice in one object")


def headers_of(value: Any) -> Headers | None:
    """Return headers as pairs; None when there are none, since every HTTP message has some.

    Formats: a mapping to one or several texts, objects with ``name`` (or ``key``) and ``value``, pairs, or a
    flat list of names and values. A mock's matcher (``{"equalTo": …}``) counts as the value.
    """
    if isinstance(value, Mapping):
        pairs = value.pairs if isinstance(value, Members) else value.items()
        return tuple((str(name), text) for name, item in pairs for text in _texts(item)) or None
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(_listed_headers(value)) or None
    return None


def _listed_headers(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    if rows and all(isinstance(item, str) for item in rows):
        yield from zip(rows[::2], rows[1::2], strict=False)
        return
    for row in rows:
        if isinstance(row, Mapping):
            name = row.get("name", row.get("key"))
            if isinstance(name, str):
                yield from ((name, text) for text in _texts(row.get("value", "")))
        elif isinstance(row, list) and len(row) == 2:
            yield str(row[0]), str(row[1])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = value.get("equalTo", value.get("value"))
    if isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, Mapping):
        yield str(value)


def status_of(response: Mapping[str, Any]) -> tuple[int | None, str]:
    """Return status and reason, from a number, a text such as ``200 OK``, or an object with ``code``."""
    for name in STATUS_NAMES:
        value = response.get(name)
        if isinstance(value, Mapping):
            code, reason = status_of(value)
            return code, str(value.get("message") or reason)
        if isinstance(value, str) and (match := re.fullmatch(r"(?:HTTP/\S+ )?(\d{3})(?: (.*))?", value)):
            return int(match[1]), match[2] or ""
        if isinstance(value, int) and not isinstance(value, bool):
            reason = response.get("statusText", response.get("statusMessage", ""))
            return value, reason if isinstance(reason, str) else ""
    return None, ""


def body_of(response: Mapping[str, Any], headers: Headers | None) -> tuple[bytes | None, bool]:
    """Return the body without content coding, None if not recorded, and whether its bytes are original.

    Raises :class:`Unreadable` for a recorded body that cannot be read.
    """
    for name in BODY_NAMES:
        if name in response:
            value = response[name]
            if name in _JSON_NAMES:
                return written(value), False
            if name == "base64Body":
                return _decoded(_unbase64(value), headers), True
            return _body(value, headers)
    return None, False


def _body(value: Any, headers: Headers | None) -> tuple[bytes | None, bool]:
    if value is None:
        return None, False
    if isinstance(value, bytes):
        return _decoded(value, headers), True
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass"), True
    if isinstance(value, Mapping) and value and (_TEXT_OBJECT.issuperset(value) or value.keys() >= _HAR_CONTENT):
        return _text_object(value, headers)
    if isinstance(value, list) and value and _is_hex(value):  # nock's format for binary bodies
        return _decoded(bytes.fromhex("".join(value)), headers), True
    return written(value), False


def _text_object(value: Mapping[str, Any], headers: Headers | None) -> tuple[bytes | None, bool]:
    encoding = str(value.get("encoding") or "").lower()
    for name in ("string", "text"):
        text = value.get(name)
        if isinstance(text, bytes):
            return _decoded(text, headers), True
        if isinstance(text, str):
            data = _unbase64(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")
            return _decoded(data, headers), True
    if "base64_string" in value:
        return _decoded(_unbase64(value["base64_string"]), headers), True
    return None, False


def _is_hex(rows: list[Any]) -> bool:
    return all(isinstance(row, str) and len(row) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]+", row) for row in rows)


def _unbase64(value: Any) -> bytes:
    text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise Unreadable("a body that should be base64 is not") from None


def _decoded(data: bytes, headers: Headers | None) -> bytes | None:
    """Undo the content coding, unless the recorder did so. Returns None for an unknown coding."""
    codings = {value.strip().lower() for name, value in headers or () if name.lower() == "content-encoding"}
    if data.startswith(_GZIP):
        return _inflated(data, 31)
    if codings <= {"", "gzip", "identity"} or data.lstrip().startswith((b"{", b"[", b'"')):
        return data
    return _inflated(data, 15) if codings == {"deflate"} else None


def _inflated(data: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(data, BODY_LIMIT)
    except zlib.error:
        raise Unreadable("a body that should be compressed cannot be inflated") from None
    if inflater.unconsumed_tail:
        raise Unreadable(f"a body has more than {BODY_LIMIT:,} bytes")
    return plain
