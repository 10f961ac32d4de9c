"""Sensitive data of others, hidden in reports: cookies, signatures in URLs, passwords in URLs, e-mail addresses.

Recognised by its position in a text, not by its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import unquote

HIDDEN = "[hidden]"
EMAIL = "[email]"
#: A secret, and the name to show for it.
Secret = tuple[str, str]
#: Shorter values are hidden in place only: elsewhere the same few characters are usually something else.
TELLING = 8

SECRET_NAME = r"(?:key|token|secret|auth|cookie|session|passw|credential|signature)"
_SECRET_PARAMETER = (
    rf"(?:[\w.\[\]$~-]*{SECRET_NAME}[\w.\[\]$~-]*"
    r"|(?:[\w.-]*[._-])?(?:sig|code|hmac|hash|jwt|policy|pwd|otp|ticket))"
)
#: A query parameter that grants access, as in a signed URL; the URL may stand in JSON, in HTML or in another URL.
_SECRET_QUERY = re.compile(
    rf"(?P<name>(?:[?&#;]|\\{{1,8}}u00(?:26|3[fF])|%(?:25)*(?:26|3[fF])){_SECRET_PARAMETER}"
    r"(?:=|\\{1,8}u003[dD]|%(?:25)*3[dD]))"
    # A placeholder stays as it is: it says which key was sent.
    r"(?!\[[^\[\]]*\])(?P<value>(?:(?!%(?:25)*26|&)[^#\s\"'\\<>])+)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s\"'<>]++@")
#: A header for cookies and its value, as on the wire, in JSON, in Python.
_COOKIES = re.compile(
    r"\b(?P<name>(?:set-)?cookie2?)(?P<gap>[\"'\\]*\s*[:=,]\s*[\[\"'\\]*)(?P<value>[^\r\n\"'\\]+)",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?P<name>[^\s=;,\"']+)=(?P<value>\"[^\"]*\"|\[[^\[\]=;]*\](?![^;,\s])|[^;,\s]+)")
_SECRET_HEADER = re.compile(
    r"(?:proxy-)?authorization|.*(?:token|secret|session|passw|credential|signature).*", re.IGNORECASE
)
_ATTRIBUTES = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version"})
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w+-](?:[\w.+-]*+)(?:@|%(?:25)*40|\\{1,8}u0040|&(?:amp;)*#(?:64|x40);|&commat;)"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)+[A-Za-z]{2,24}\b",
    re.IGNORECASE,
)


def without_sensitive(text: str) -> str:
    """The text without cookies, values of signed queries, passwords in URLs and e-mail addresses."""
    if "=" in text or "3d" in text.lower():
        text = hide_queries(text)
        text = _COOKIES.sub(lambda match: match["name"] + match["gap"] + cookie_hidden(match["value"]), text)
    if any(sign in text for sign in ("@", "40", "64", "commat")):
        text = _EMAIL.sub(EMAIL, _USERINFO.sub("[userinfo]@", text))
    return text


def hide_queries(text: str) -> str:
    """The text with the values of query parameters that grant access hidden."""
    return _SECRET_QUERY.sub(lambda match: match["name"] + HIDDEN, text)


def hide_userinfo(text: str) -> str:
    """The text with users and passwords of URLs hidden."""
    return _USERINFO.sub("[userinfo]@", text)


def query_secrets(texts: Iterable[str]) -> Iterator[Secret]:
    """Values of query parameters that grant access, to be hidden wherever else they occur."""
    for text in texts:
        for match in _SECRET_QUERY.finditer(text):
            parts = {match["value"], unquote(match["value"])}
            yield from ((part, HIDDEN) for part in parts if len(part) >= TELLING)


def is_secret_header(name: str) -> bool:
    """Whether a header carries credentials, by its name. The header of the API key is not included."""
    return _SECRET_HEADER.fullmatch(name.strip()) is not None


def is_cookie_header(name: str) -> bool:
    """Whether a header carries cookies."""
    return name.strip().lower() in ("cookie", "cookie2", "set-cookie", "set-cookie2")


def cookie_hidden(value: str, known: Iterable[str] = ()) -> str:
    """The value of a ``Cookie`` or ``Set-Cookie`` header with the values of cookies hidden.

    Values that hold one of the ``known`` secrets stay: the redactor replaces these.
    """
    return _PAIR.sub(partial(_pair_hidden, tuple(known)), value)


def _pair_hidden(known: tuple[str, ...], match: re.Match[str]) -> str:
    name, value = match["name"], match["value"]
    public = (
        name.lower() in _ATTRIBUTES
        or re.fullmatch(r"\[[^\[\]]*\]", value)
        or any(secret in value for secret in known)
    )
    return match.group() if public else f"{name}={HIDDEN}"


def header_secrets(headers: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    """Values of cookies and of secret headers, to be hidden wherever else they occur."""
    for name, value in headers:
        if is_secret_header(name):
            parts = {value.strip(), value.strip().partition(" ")[2].strip()}
            yield from ((part, HIDDEN) for part in parts if len(part) >= TELLING)
        if is_cookie_header(name):
            for pair in _PAIR.finditer(value):
                inner = pair["value"].strip('"')
                if pair["name"].lower() not in _ATTRIBUTES:
                    parts = {inner, unquote(inner)}
                    yield from ((part, HIDDEN) for part in parts if len(part) >= TELLING)
