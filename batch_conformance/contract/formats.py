"""Formats of JSON Schema 2020-12 and OpenAPI 3.1, each with a check and valid and malformed values.

The checks are the suite's own: installed optional packages must not change a verdict. Sources: RFC 3339
(date-time, date, time, duration), RFC 3986 (uri, uri-reference), RFC 5321 (email), RFC 1123 (hostname), RFC
4291 (ipv6), RFC 9562 (uuid), RFC 6901 (json-pointer), RFC 6570 (uri-template), the OpenAPI format registry
(int32, int64, byte: RFC 4648, 4). A format not listed is an annotation. Host names are checked as ASCII;
``xn--`` labels are not decoded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.ecma_regex import UnsupportedPattern, compile_pattern
from batch_conformance.contract.rfc3339 import parse_date_time


@dataclass(frozen=True)
class Format:
    """One format: ``check`` takes a value of ``type``; ``valid``, ``malformed`` are (label, value) pairs."""

    check: Callable[[Any], bool]
    expected: str
    valid: tuple[tuple[str, Any], ...]
    malformed: tuple[tuple[str, Any], ...]
    type: str = "string"
    #: Valid values that are seldom used.
    rare: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        """Whether a value has the format; values of other types are accepted."""
        if self.type == "string":
            return not isinstance(value, str) or self.check(value)
        return isinstance(value, bool) or not isinstance(value, int | float) or self.check(value)


def _regex(pattern: str, flags: re.RegexFlag = re.ASCII) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


def _date_time(text: str) -> bool:
    return not isinstance(parse_date_time(text), str)


def _date(text: str) -> bool:
    return len(text) == 10 and _date_time(f"{text}T00:00:00Z")


def _time(text: str) -> bool:
    # A leap second is at the end of a month in UTC; with the offset, the local date may be the next day.
    return any(_date_time(f"{day}T{text}") for day in ("2016-12-31", "2017-01-01"))


_HEX = "[0-9A-Fa-f]"
_PLAIN = r"[A-Za-z0-9._~!$&'()*+,;=-]"
_PATH = rf"(?:{_PLAIN}|[:@]|%{_HEX}{{2}})"
_HOST = rf"(?:\[(?P<literal>[0-9A-Fa-f:.]+|[vV]{_HEX}+\.[^\]\s/?#]+)\]|(?:{_PLAIN}|%{_HEX}{{2}})*)"
_REST = rf"(?:\?(?:{_PATH}|[/?])*)?(?:\#(?:{_PATH}|[/?])*)?"
_AUTHORITY = rf"//(?:(?:{_PLAIN}|:|%{_HEX}{{2}})*@)?{_HOST}(?::\d*)?(?:/{_PATH}*)*"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{_AUTHORITY}|/?(?:{_PATH}+(?:/{_PATH}*)*)?){_REST}", re.ASCII)
_NO_COLON = rf"(?:{_PLAIN}|@|%{_HEX}{{2}})"
_RELATIVE = re.compile(
    rf"(?:{_AUTHORITY}|/(?:{_PATH}+(?:/{_PATH}*)*)?|(?:{_NO_COLON}+(?:/{_PATH}*)*)?){_REST}", re.ASCII
)


def _uri_with(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        match = pattern.fullmatch(text)
        if match is None:
            return False
        literal = match["literal"]
        return literal is None or literal[0] in "vV" or _ip(literal, ipaddress.IPv6Address)

    return check


_uri, _relative = _uri_with(_URI), _uri_with(_RELATIVE)


def _as_uri(text: str) -> str:
    """Return an IRI as a URI (RFC 3987, 3.1), enough to check its syntax."""
    return "".join("%C3" if ord(char) >= 0xA0 and not char.isspace() else char for char in text)


def _ip(text: str, kind: Callable[[str], object]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return text.isascii() and "%" not in text


_LONGEST_REGEX = 5000
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r'|"(?:[ !#-\[\]-~]|\\[ -~])*"',
    re.ASCII,
)


def _email(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        inner = domain[1:-1]
        if inner.startswith("IPv6:"):
            return _ip(inner.removeprefix("IPv6:"), ipaddress.IPv6Address)
        return _ip(inner, ipaddress.IPv4Address)
    return _HOSTNAME.fullmatch(domain) is not None


def _is_regex(text: str) -> bool:
    if len(text) > _LONGEST_REGEX:
        # Compile time grows with the square of the length; a longer one is accepted unchecked.
        return True
    try:
        compile_pattern(text)
    except UnsupportedPattern:
        return False
    return True


_DURATION = _regex(
    r"P(?!\Z)(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?"
    r"(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?)"
)
#: RFC 6570, 2.
_NAME = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*"
_VARIABLE = rf"{_NAME}(?:\*|:[1-9]\d{{0,3}})?"
_TEMPLATE = (
    r"(?:[!#$&()*+,\-./0-9:;=?@A-Z\[\]_a-z~\xa0-\U0010fffd]|%[0-9A-Fa-f]{2}|"
    rf"\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
)
_BLANKS = (("blank before", " {}"), ("blank after", "{} "), ("line feed after", "{}\n"))


def _around(value: str) -> tuple[tuple[str, str], ...]:
    return tuple((label, text.format(value)) for label, text in _BLANKS)


def _named(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value if value else "empty", value) for value in values)


_UUID = "9f1c8f3e-7a55-4c1b-9d5e-2f6a1b0c3d4e"
_DATES = (
    ("in UTC", "2024-01-15T10:30:00Z"),
    ("milliseconds", "2024-01-15T10:30:00.123Z"),
    ("nanoseconds", "2024-01-15T10:30:00.123456789Z"),
    ("one digit of fraction", "2024-01-15T10:30:00.5Z"),
    ("offset east", "2024-01-15T16:00:00+05:30"),
    ("offset west", "2024-01-15T02:30:00-08:00"),
    ("offset zero", "2024-01-15T10:30:00+00:00"),
    ("unknown offset", "2024-01-15T10:30:00-00:00"),
    ("leap day", "2024-02-29T23:59:59Z"),
    ("leap second", "2016-12-31T23:59:60Z"),
    ("lower case t and z", "2024-01-15t10:30:00z"),
    ("lower case t", "2024-01-15t10:30:00Z"),
    ("lower case z", "2024-01-15T10:30:00z"),
    ("before 1970", "1969-07-20T20:17:40Z"),
)
_RARE_DATES = tuple(text for _, text in _DATES if ":60" in text or text != text.upper())
_BAD_DATES = (
    ("no date-time at all", "yesterday"),
    ("empty", ""),
    ("without an offset", "2024-01-15T10:30:00"),
    ("date alone", "2024-01-15"),
    ("blank for T", "2024-01-15 10:30:00Z"),
    ("month 13", "2024-13-15T10:30:00Z"),
    ("30 February", "2024-02-30T10:30:00Z"),
    ("hour 24", "2024-01-15T24:00:00Z"),
    ("seconds left out", "2024-01-15T10:30Z"),
    ("offset without colon", "2024-01-15T10:30:00+0530"),
    ("offset of 24 hours", "2024-01-15T10:30:00+24:00"),
    ("comma before the fraction", "2024-01-15T10:30:00,5Z"),
    ("Unix time", "1705314600"),
    ("basic format", "20240115T103000Z"),
    ("line feed after", "2024-01-15T10:30:00Z\n"),
)

#: Every format that is checked.
FORMATS: dict[str, Format] = {
    "date-time": Format(_date_time, "an RFC 3339 date-time", _DATES, _BAD_DATES, rare=_RARE_DATES),
    "date": Format(
        _date,
        "an RFC 3339 full-date",
        _named("2024-01-15", "2024-02-29", "1969-12-31"),
        (
            *_named("2024-02-30", "2023-02-29", "2024-1-5", "20240115", "2024-01-15T00:00:00Z", "15/01/2024", ""),
            ("line feed after", "2024-01-15\n"),
        ),
    ),
    "time": Format(
        _time,
        "an RFC 3339 full-time",
        _named("10:30:00Z", "10:30:00.5+05:30", "23:59:60Z", "10:30:00z"),
        _named("10:30:00", "24:00:00Z", "10:30Z", "10:30:60Z", ""),
        rare=("23:59:60Z", "10:30:00z"),
    ),
    "duration": Format(
        _DURATION,
        "an ISO 8601 duration",
        _named("P1D", "PT36H", "P1Y2M3DT4H5M6S", "P4W"),
        _named("P", "1D", "PT", "P1D2H", "P1W1D", "PT1D", "P2D1Y", ""),
    ),
    "uuid": Format(
        _regex(rf"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}"),
        "a UUID",
        (
            ("lower case", _UUID),
            ("upper case", _UUID.upper()),
            ("nil", "0" * 8 + "-0000" * 3 + "-" + "0" * 12),
        ),
        (
            *_named(
                "",
                _UUID[:-1],
                _UUID + "0",
                _UUID.replace("-", ""),
                "{" + _UUID + "}",
                "urn:uuid:" + _UUID,
                "g" + _UUID[1:],
            ),
            *_around(_UUID),
        ),
    ),
    "uri": Format(
        _uri,
        "an absolute URI",
        _named(
            "https://example.com/a?b=c#d",
            "https://example.com",
            "http://[2001:db8::1]:8080/",
            "urn:isbn:0451450523",
            "mailto:a@example.com",
            "https://u:p@example.com/%20/",
        ),
        _named(
            "",
            "nothing",
            "/relative/path",
            "//example.com/x",
            "https://example.com/a b",
            "https://example.com/%zz",
            "https://example.com/ä",
            "https://[::g]/",
            "1https://example.com",
            "https://example.com/\n",
        ),
    ),
    "uri-reference": Format(
        lambda text: _uri(text) or _relative(text),
        "a URI reference",
        _named("", "/relative/path", "../x?y#z", "//example.com/x", "https://example.com/"),
        _named("a b", "\\\\host\\share", "/%zz", "#a#b", "1:x", "/ä"),
    ),
    "iri": Format(
        lambda text: _uri(_as_uri(text)),
        "an absolute IRI",
        _named("https://example.com/größe", "https://example.com/"),
        _named("", "/größe", "https://example.com/a b"),
    ),
    "iri-reference": Format(
        lambda text: _uri(_as_uri(text)) or _relative(_as_uri(text)),
        "an IRI reference",
        _named("/größe", "https://example.com/"),
        _named("a b", "/%zz"),
    ),
    "idn-email": Format(
        lambda text: _email(re.sub(r"[^\x00-\x7f]", "a", text)),
        "an e-mail address",
        _named("größe@example.com", "a@größe.example"),
        _named("", "ü", "@größe.example", "größe@"),
    ),
    "email": Format(
        _email,
        "an e-mail address",
        _named("a@example.com", "first.last+tag@sub.example.com", '"a b"@example.com', "a@[192.0.2.1]"),
        _named(
            "",
            "nobody",
            "@example.com",
            "a@",
            "a..b@example.com",
            ".a@example.com",
            "a@-example.com",
            "a b@example.com",
            "a@example.com\n",
            "a@b@example.com",
        ),
    ),
    "hostname": Format(
        lambda text: _HOSTNAME.fullmatch(text) is not None,
        "a host name",
        _named("example.com", "a", "xn--nxasmq6b.example", "1.example", "a" * 63 + ".example"),
        _named(
            "",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a..b",
            "a" * 64 + ".example",
            "a b",
            "example.com\n",
        ),
    ),
    "ipv4": Format(
        lambda text: _ip(text, ipaddress.IPv4Address),
        "an IPv4 address",
        _named("192.0.2.1", "0.0.0.0", "255.255.255.255"),
        _named("", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.0.0.1", "1.2.3.4/24", "1.2.3.4\n"),
    ),
    "ipv6": Format(
        lambda text: _ip(text, ipaddress.IPv6Address),
        "an IPv6 address",
        _named("2001:db8::1", "::", "::ffff:192.0.2.1", "2001:0DB8:0:0:0:0:0:1"),
        _named("", "1::2::3", "12345::", "::g", "1:2:3:4:5:6:7", "::1%eth0", "[::1]", "192.0.2.1"),
    ),
    "regex": Format(
        _is_regex, "a regular expression", _named("^a+$", "", "(a|b)[^c]"), _named("(", "[a", "a**", "\\Z")
    ),
    "json-pointer": Format(
        _regex(r"(?:/(?:[^~/]|~[01])*)*", re.DOTALL),
        "a JSON pointer",
        _named("", "/a/0/~0~1"),
        _named("a", "/~2", "/~"),
    ),
    "relative-json-pointer": Format(
        _regex(r"(?:0|[1-9]\d*)(?:[+-](?:0|[1-9]\d*))?(?:#|(?:/(?:[^~/]|~[01])*)*)", re.DOTALL),
        "a relative JSON Pointer",
        _named("0", "1/a", "2#", "0/a~1b", "0+1/a"),
        _named("", "/a", "01", "-1", "1/~2", "1##"),
    ),
    "uri-template": Format(
        _regex(_TEMPLATE),
        "a URI template",
        _named("https://example.com/{id}", "/a{?q,page}", "{+path}/x", "{list*}", "{a:3}", ""),
        _named("/a/{b", "/a/b}", "{}", "{a b}", "{a:0}", "a b"),
    ),
    "byte": Format(
        _regex("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
        "Base64",
        _named("", "YQ==", "YWI=", "YWJj", "+/+/"),
        _named("*", "YQ", "YQ=", "YQ==YQ==", "-_-_", "YWJj\n"),
    ),
    "int32": Format(
        lambda number: -(2**31) <= number < 2**31,
        "a 32-bit integer",
        (("smallest", -(2**31)), ("largest", 2**31 - 1)),
        (("one too large", 2**31), ("one too small", -(2**31) - 1)),
        type="number",
    ),
    "int64": Format(
        lambda number: -(2**63) <= number < 2**63,
        "a 64-bit integer",
        (("largest exact", 2**53 - 1), ("least exact", 1 - 2**53)),
        (("one too large", 2**63),),
        type="number",
    ),
}
