"""Sensitive data besides API keys: cookies, signatures and passwords in URLs, e-mail addresses.

It is recognised by its position in a text, not by its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import unquote

HIDDEN = "[hidden]"
EMAIL = "[email]"
#: A secret and its placeholder.
Secret = tuple[str, str]
#: Shortest text, in characters, that is taken for the value searched for: shorter ones also occur by chance.
TELLING = 8

SECRET_NAME = r"(?:key|token|secret|auth|cookie|session|passw|credential|signature)"
_SECRET_PARAMETER = (
    rf"(?:[\w.\[\]$~-]*{SECRET_NAME}[\w.\[\]$~-]*"
    r"|(?:[\w.-]*[._-])?(?:sig|code|hmac|hash|jwt|policy|pwd|otp|ticket))"
)
#: A query parameter that grants access, as in a signed URL, which may be embedded in JSON, HTML or another
#: URL.
_SECRET_QUERY = re.compile(
    rf"(?P<name>(?:[?&#;]|\\{{1,8}}u00(?:26|3[fF])|%(?:25)*(?:26|3[fF])){_SECRET_PARAMETER}"
    r"(?:=|\\{1,8}u003[dD]|%(?:25)*3[dD]))"
    # Keep placeholders: they say which key was sent.
    r"(?!\[[^\[\]]*\])(?P<value>(?:(?!%(?:25)*26|&)[^#\s\"'\\<>])+)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s\"'<>]++@")
#: A cookie header and its value, as on the wire, in JSON or in Python.
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
    """Return the text with cookies, signatures and passwords in URLs, and e-mail addresses hidden."""
    if "=" in text or "3d" in text.lower():
        text = hide_queries(text)
        text = _COOKIES.sub(lambda match: match["name"] + match["gap"] + cookie_hidden(match["value"]), text)
    if any(sign in text for sign in ("@", "40", "64", "commat")):
        text = _EMAIL.sub(EMAIL, _USERINFO.sub("[userinfo]@", text))
    return text


def hide_queries(text: str) -> str:
    """Return the text with the values of query parameters that grant access hidden."""
    return _SECRET_QUERY.sub(lambda match: match["name"] + HIDDEN, text)


def hide_userinfo(text: str) -> str:
    """Return the text with user names and passwords in URLs hidden."""
    return _USERINFO.sub("[userinfo]@", text)


def query_secrets(texts: Iterable[str]) -> Iterator[Secret]:
    """Yield values of query parameters that grant access, to hide them wherever else they occur."""
    for text in texts:
        for match in _SECRET_QUERY.finditer(text):
            parts = {match["value"], unquote(match["value"])}
            yield from ((part, HIDDEN) for part in parts if len(part) >= TELLING)


def is_secret_header(name: str) -> bool:
    """Whether a header carries credentials, by its name. The API key's header is not included."""
    return _SECRET_HEADER.fullmatch(name.strip()) is not None


def is_cookie_header(name: str) -> bool:
    """Whether a header carries cookies."""
    return name.strip().lower() in ("cookie", "cookie2", "set-cookie", "set-cookie2")


def cookie_hidden(value: str, known: Iterable[str] = ()) -> str:
    """Return the value of a ``Cookie`` or ``Set-Cookie`` header with the values of cookies hidden.

    Values that contain one of the ``known`` secrets stay: the redactor replaces these.
    """
    return _PAIR.sub(partial(_pair_hidden, tuple(known)), value)


def _pair_hidden(known: tuple[str, ...], match: re.Match[str]) -> str:
    name, value = match["name"], match["value"]
    public = (
        name.lower() in _ATTRIBUTES or re.fullmatch(r"\[[^\[\]]*\]", value) or any(secret in value for secret in known)
    )
    return match.group() if public else f"{name}={HIDDEN}"


def header_secrets(headers: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    """Yield values of cookies and of secret headers, to hide them wherever else they occur."""
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
