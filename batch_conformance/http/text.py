"""Safe display of foreign text: invisible characters are escaped, long text is cut with a note."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

#: Longest text in one place of a report, in characters.
LINE_LIMIT = 2048
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
#: ``##[error]``, ``##vso[``, ``##teamcity[``: CI systems obey these wherever they stand in a line.
_LOG_COMMAND = re.compile(r"##(?=\w*\[)")
#: The two ways in which :func:`batch_conformance.http.curl_line` quotes.
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
#: Characters that may not be printable: all but printable ASCII.
_NOT_ASCII = re.compile(r"[^ -~]")


def names_variable(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a text is the name of an environment variable, and no key in its place.

    A name (POSIX, 8.1) that is not set counts only without lower-case letters, which keys have and names rarely do.
    """
    return _VARIABLE.fullmatch(text) is not None and (text in environ or text == text.upper())


def visible(text: str, *, lines: bool = True) -> str:
    r"""Return the text with invisible characters escaped, e.g. as ``\x1b``.

    Escaped are control and format characters (ANSI escapes, text direction, zero width), lone surrogates and
    spaces other than U+0020. Line breaks and tabs are kept if ``lines`` is true.
    """
    if text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
    allowed = "\n\t" if lines else ""
    return _NOT_ASCII.sub(lambda found: _escaped(found[0], allowed), text)


def _escaped(char: str, allowed: str) -> str:
    return char if char.isprintable() or char in allowed else _escape(char)


def _escape(char: str) -> str:
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
    """Return at most ``limit`` characters of the text, with a note if any are missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} […cut: {limit:,} of {len(text):,} characters shown]"


class Redacts(Protocol):
    """Protocol of objects that redact text, such as :class:`batch_conformance.http.Redactor`."""

    def text(self, text: str, /) -> str:
        """Return the text with secrets replaced."""


class Chained:
    """Several redactors, applied one after the other."""

    def __init__(self, redactors: Sequence[Redacts]) -> None:
        self._redactors = redactors

    def text(self, text: str) -> str:
        """Return the text as redacted by all of them."""
        for redactor in self._redactors:
            text = redactor.text(text)
        return text


def redacted(redactor: Redacts, text: str, *, lines: bool) -> str:
    """Return the text with secrets replaced and invisible characters escaped."""
    # Redact before escaping, while secrets are intact, and after, since escaping may restore a broken-up one.
    escaped = visible(redactor.text(text), lines=lines)
    return escaped if escaped == text else redactor.text(escaped)


def shown_text(redactor: Redacts, text: str) -> str:
    """Return a multi-line text as reports show it: redacted, escaped, cut."""
    return cut(redacted(redactor, text, lines=True).strip(), LINE_LIMIT)


def log_safe(text: str, *, lines: bool = True) -> str:
    """Return foreign text for a terminal or a CI log: invisible characters, tags and log commands escaped."""
    disarmed = _LOG_COMMAND.sub(r"#\\x23", visible(text, lines=lines))
    return _TAG.sub(r"\\x3c", disarmed)


def disarmed_shell(line: str) -> str:
    """Return an equivalent shell command without a raw ``<`` before a tag's name in single-quoted words."""

    def quoted(match: re.Match[str]) -> str:
        word = match.group()
        return _TAG.sub(r"""'"$(printf '\\074')"'""", word) if word.startswith("'") else word

    return _QUOTED.sub(quoted, line)


def indented_json(text: str) -> str:
    """Return a JSON text indented, with its tokens untouched: repeated names and unusual numbers stay."""
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
