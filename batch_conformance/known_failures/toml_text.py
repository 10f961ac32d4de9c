"""A TOML file edited as text: comments, order and spelling of all that is not touched stay byte by byte.

Made for valid TOML that holds one array of tables; whoever edits parses the result again and compares.
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
    """Valid TOML perhaps, but written in a way that is not edited here."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass
class ArrayText:
    """Where an array stands, each element in it with its own stretch, and where the last one itself ends."""

    start: int
    end: int = 0
    #: Each element with the comments above it, its comma and a comment that follows on its line.
    stretches: list[tuple[int, int]] = field(default_factory=list)
    #: Each element itself.
    elements: list[tuple[int, int]] = field(default_factory=list)
    last: int = 0


@dataclass
class TableText:
    """Where a table stands, with the comments directly above it, and the arrays among its values."""

    start: int
    end: int
    arrays: dict[str, ArrayText] = field(default_factory=dict)


class Edit(NamedTuple):
    """Puts ``text`` where ``start`` to ``end`` was."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; what was inserted at one place stays in the order given."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    # From the end, so that places before stay where they are.
    for edit in ordered[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def newline_of(text: str) -> str:
    """The line break that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def tables_of(text: str, name: str) -> list[TableText]:
    """The tables of the array of tables ``name``, in order. Raises :class:`UnknownForm`."""
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
    """Takes out a table, the comments directly above it, and the empty lines after it."""
    after = re.compile(r"[ \t]*\r?(?:\n(?:[ \t]*\r?\n)*|\Z)").match(text, table.end)
    return Edit(table.start, after.end() if after else table.end, "")


def element_edits(
    text: str,
    array: ArrayText,
    dropped: Iterable[int],
    gained: Iterable[str],
    rewritten: Mapping[int, Sequence[str]],
) -> list[Edit]:
    """Takes elements out of an array, by index, or writes others in their place, next to the same comments.

    ``gained`` may come in place of all of them.
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
    """Headers and key-value pairs, each as its tokens; line breaks count inside of brackets only."""
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
    """Where the comment lines begin that stand directly above; those that open the file are the file's own."""
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
    """Behind a comment that follows on the same line, if nothing stands between."""
    match = re.compile(r"[ \t]*#[^\r\n]*").match(text, position)
    return match.end() if match else position


def _indent(text: str, array: ArrayText) -> str:
    """How the elements are indented, by the last one's line."""
    line = text.rfind("\n", 0, array.last) + 1
    found = re.compile(r"[ \t]*").match(text, line)
    return found.group() if found and line > array.start else "  "
