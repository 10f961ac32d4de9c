"""Safe display of foreign text: invisible characters become visible, long text is cut, and both are marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

#: The longest text in one place of a report, in characters.
LINE_LIMIT = 2048
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
#: ``##[error]``, ``##vso[``, ``##teamcity[``: CI systems obey these wherever they stand in a line.
_LOG_COMMAND = re.compile(r"##(?=\w*\[)")
#: The two ways of quoting that ``http.curl_line`` uses.
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
#: What is not printable in ASCII, and may not be elsewhere.
_NOT_ASCII = re.compile(r"[^ -~]")


def is_variable(name: str) -> bool:
    """Whether a text can be the name of an environment variable (POSIX, 8.1); one that cannot may be a key."""
    return _VARIABLE.fullmatch(name) is not None


def visible(text: str, *, lines: bool = True) -> str:
    r"""The text with everything invisible written out, e.g. ``\x1b``.

    That is control and format characters (ANSI escapes, text direction, zero width), lone surrogates, odd
    spaces.
    Line breaks and tabs are kept when ``lines`` is true, else written out as well.
    """
    if text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
    allowed = "\n\t" if lines else ""
    return _NOT_ASCII.sub(lambda found: _shown(found[0], allowed), text)


def _shown(char: str, allowed: str) -> str:
    return char if char.isprintable() or char in allowed else _written_out(char)


def _written_out(char: str) -> str:
    code = ord(char)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named:
        return named
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, carried by surrogateescape
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters of the text, and a note where the rest is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} […cut: {limit:,} of {len(text):,} characters shown]"


class Redacts(Protocol):
    """Removes secrets from a text, as ``http.Redactor`` does."""

    def text(self, text: str, /) -> str:
        """The text without them."""


class Chained:
    """Several redactors, one after the other."""

    def __init__(self, redactors: Sequence[Redacts]) -> None:
        self._redactors = redactors

    def text(self, text: str) -> str:
        """The text without the secrets of any of them."""
        for redactor in self._redactors:
            text = redactor.text(text)
        return text


def redacted(redactor: Redacts, text: str, *, lines: bool) -> str:
    """The text without secrets, everything invisible written out."""
    # Redacted before, while a secret is whole, and after, since writing out may restore one that was broken up.
    shown = visible(redactor.text(text), lines=lines)
    return shown if shown == text else redactor.text(shown)


def shown_text(redactor: Redacts, text: str) -> str:
    """A text of several lines as every report shows it: redacted, made visible, cut."""
    return cut(redacted(redactor, text, lines=True).strip(), LINE_LIMIT)


def log_safe(text: str, *, lines: bool = True) -> str:
    """Text from outside for a terminal or a CI log: the invisible, markup and log commands disarmed."""
    disarmed = _LOG_COMMAND.sub(r"#\\x23", visible(text, lines=lines))
    return _TAG.sub(r"\\x3c", disarmed)


def disarmed_shell(line: str) -> str:
    """The same shell command without a raw ``<`` in front of a tag's name, wherever its words are quoted."""

    def quoted(match: re.Match[str]) -> str:
        word = match.group()
        return _TAG.sub(r"""'"$(printf '\\074')"'""", word) if word.startswith("'") else word

    return _QUOTED.sub(quoted, line)


def indented_json(text: str) -> str:
    """A JSON text broken into lines, its tokens untouched: repeated names and odd numbers stay."""
    out: list[str] = []
    depth = 0
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', text)
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in "}]" and tokens[index - 1] not in "{[":
            depth -= 1
            out.append("\n" + "  " * depth)
        out.append(token)
        if token in "{[":
            if following in ("}", "]"):
                continue
            depth += 1
            out.append("\n" + "  " * depth)
        elif token == ",":
            out.append("\n" + "  " * depth)
        elif token == ":":
            out.append(" ")
    return "".join(out)
