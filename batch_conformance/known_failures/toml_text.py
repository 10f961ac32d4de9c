"""Text edits of a TOML file: all that is not edited stays byte for byte, comments and order included.

For valid TOML with one array of tables. The caller parses the edited text and compares it with the intended value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(
    r'''(?P<text>"""(?:\\[\s\S]|(?!""")[^\\])*"{3,5}|\'\'\'(?:(?!\'\'\')[\s\S])*'{3,5}'''
    r"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"""|(?P<comment>\#[^\n]*)|(?P<line>\n)|(?P<space>[ \t\r]+)|(?P<sign>[\[\]{}=,])|(?P<word>[^\s\[\]{}=,"'#]+)"""
)


class UnknownForm(ValueError):
    """Raised for TOML in a form that this module cannot edit."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass
class ArrayText:
    """Position of an array in the text and of its elements; ``last`` is the end of the last one."""

    start: int
    end: int = 0
    #: Each element with the comments above it, its comma, and a comment behind it on the line.
    stretches: list[tuple[int, int]] = field(default_factory=list)
    #: Each element alone.
    elements: list[tuple[int, int]] = field(default_factory=list)
    last: int = 0


@dataclass
class TableText:
    """Position of a table, with the comments directly above it, and of the arrays among its values."""

    start: int
    end: int
    arrays: dict[str, ArrayText] = field(default_factory=dict)


class Edit(NamedTuple):
    """Replacement of the text from ``start`` to ``end``."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to a text; insertions at one position keep their order."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    # From the end, so that earlier positions stay valid.
    for edit in ordered[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def newline_of(text: str) -> str:
    """Return the line break that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def tables_of(text: str, name: str) -> list[TableText]:
    """Find the tables of the array of tables ``name``, in order. Raises :class:`UnknownForm`."""
    tokens = list(_tokens(text))
    tables: list[TableText] = []
    inside = False
    for statement in _statements(tokens):
        signs = "".join(token.text for token in statement if token.kind != "comment")
        head = statement[0].text == "["
        if head:
            inside = signs == f"[[{name}]]"
            if inside:
                tables.append(TableText(_with_comments_above(text, statement[0].start), 0))
        if not inside:
            continue
        tables[-1].end = statement[-1].end
        if not head and len(statement) > 3 and statement[1].text == "=" and statement[2].text == "[":
            tables[-1].arrays[statement[0].text] = _array(text, statement[2:])
    return tables


def removal(text: str, table: TableText) -> Edit:
    """Return the edit that removes a table, the comments directly above it, and the empty lines after it."""
    after = re.compile(r"[ \t]*\r?(?:\n(?:[ \t]*\r?\n)*|\Z)").match(text, table.end)
    return Edit(table.start, after.end() if after else table.end, "")


def element_edits(
    text: str,
    array: ArrayText,
    dropped: Iterable[int],
    gained: Iterable[str],
    rewritten: Mapping[int, Sequence[str]],
) -> list[Edit]:
    """Return the edits that remove elements of an array by index, replace others, and append ``gained``.

    Comments next to replaced elements are kept. All elements may be removed if there are ``gained`` ones.
    """
    edits = [Edit(*array.stretches[index], "") for index in dropped]
    several_lines = "\n" in text[array.start : array.end]
    before = newline_of(text) + _indent(text, array) if several_lines else " "
    edits += [Edit(*array.elements[index], f",{before}".join(made)) for index, made in rewritten.items()]
    where = array.stretches[-1][1]
    edits.append(Edit(where, where, "".join(f"{before}{element}," for element in gained)))
    return edits


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnknownForm(f"character {position}")
        position = match.end()
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match.group().rstrip("\r"), match.start(), position)


def _statements(tokens: Iterable[_Token]) -> Iterator[list[_Token]]:
    """Split tokens into headers and key-value pairs; line breaks inside of brackets belong to their pair."""
    statement: list[_Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.text, 0)
        if token.kind == "line" and depth == 0:
            if statement and statement[0].kind != "comment":
                yield statement
            statement = []
        else:
            statement.append(token)
    if statement and statement[0].kind != "comment":
        yield statement


def _with_comments_above(text: str, start: int) -> int:
    """Return the start of the comment lines directly above; those at the beginning of the file belong to the file."""
    begin = text.rfind("\n", 0, start) + 1
    above = begin
    while above > 0:
        line = text.rfind("\n", 0, above - 1) + 1
        if not text[line:above].lstrip().startswith("#"):
            return above
        above = line
    return begin


def _array(text: str, tokens: list[_Token]) -> ArrayText:
    array = ArrayText(tokens[0].start)
    region = _rest_of_line(text, tokens[0].end)
    depth, begin, element = 0, 0, 0
    for token in tokens:
        if token.kind == "sign" and token.text in "[{":
            depth += 1
            if depth == 1:
                continue
        elif token.kind == "sign" and token.text in "]}":
            depth -= 1
        if depth == 0:
            if element:
                array.last = element
                array.elements.append((begin, element))
                array.stretches.append((region, _rest_of_line(text, element)))
            array.end = token.end
            break
        if depth == 1 and token.text == "," and token.kind == "sign":
            after = _rest_of_line(text, token.end)
            array.stretches.append((region, after))
            array.elements.append((begin, element))
            array.last, region, element = element, after, 0
        elif token.kind not in ("comment", "line"):
            begin, element = begin if element else token.start, token.end
    return array


def _rest_of_line(text: str, position: int) -> int:
    """Return the position behind a comment that directly follows on the same line, else ``position``."""
    match = re.compile(r"[ \t]*#[^\r\n]*").match(text, position)
    return match.end() if match else position


def _indent(text: str, array: ArrayText) -> str:
    """Return the indentation of the last element's line."""
    line = text.rfind("\n", 0, array.last) + 1
    found = re.compile(r"[ \t]*").match(text, line)
    return found.group() if found and line > array.start else "  "
