"""Rules in schemas (``x-validations``) as data, read without the CEL runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import join, split
from batch_conformance.contract.references import Document, Schema, pointer_of, resolve

STRING = r"""[rRbB]{0,2}(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
STEP = r"""\s*\.\s*[A-Za-z_]\w*(?!\w|\s*\()|\s*\[\s*(?:"[^"\\]*"|'[^'\\]*'|\d+)\s*\]"""
_TOKEN = re.compile(rf"//[^\n]*|(?<![\w.])(?P<path>(?:self|oldSelf)\b(?P<steps>(?:{STEP})*))|{STRING}")
_PATH_OR_MACRO = re.compile(
    rf"//[^\n]*|{STRING}|(?<![\w.])(?P<root>[A-Za-z_]\w*)(?P<steps>(?:{STEP})*)"
    r"(?:\s*\.\s*(?:all|exists|exists_one|existsOne|filter|map)\s*\(\s*(?P<variable>[A-Za-z_]\w*)\s*,)?"
)
_ONE_STEP = re.compile(r"""\.\s*(\w+)|\[\s*["']?(.*?)["']?\s*\]""")
_SLUG_WORDS = 6
_KEYWORDS = ("rule", "message", "messageExpression", "code")


@dataclass(frozen=True)
class StatedRule:
    """One entry of ``x-validations``: ``pointer`` is the place of its values, ``schema_pointer`` its own.

    ``code`` is explicit or derived from the message. ``names`` are pointers, relative to its place, of the
    members that it names; ``unknown`` is the first path, as written, that the schema does not document: such
    a rule is ignored. ``unknown_in_message`` is the same for its ``messageExpression``.
    """

    code: str
    rule: str
    message: str
    pointer: str
    schema_pointer: str
    names: tuple[str, ...]
    transition: bool
    unknown: str
    unknown_in_message: str


def wrong_form(row: Any) -> str:
    """Return the error in the form of an entry, apart from its CEL; empty if there is none."""
    if not isinstance(row, dict) or not isinstance(row.get("rule"), str) or not row["rule"].strip():
        return "an object with the member rule is meant"
    for key in row:
        if key not in _KEYWORDS and not key.startswith("x-"):
            return f"unknown keyword {key!r}: known are {', '.join(_KEYWORDS)}"
        if not isinstance(row[key], str):
            return f"{key} is to be text"
    if "message" not in row and "messageExpression" not in row:
        return "message is missing"
    return ""


def named_paths(rule: str) -> tuple[str, ...]:
    """Return the distinct paths that a rule names, as written (``self.a.b``)."""
    return tuple(dict.fromkeys(match["path"] for match in _TOKEN.finditer(rule) if match["path"]))


def path_steps(path: str) -> list[str]:
    """Return the steps of a path below ``self`` or ``oldSelf``."""
    return [match[1] or match[2] for match in _ONE_STEP.finditer(path)]


def rule_code(row: dict[str, Any]) -> str:
    """Return the code of an entry; without one, a slug of its message or rule."""
    if row.get("code"):
        return str(row["code"])
    words = re.findall(r"[a-z0-9]+", str(row.get("message") or row.get("rule")).lower())
    return "-".join(words[:_SLUG_WORDS]) or "rule"


def unknown_path(rule: str, schema: Schema, document: Document) -> str:
    """Return the first path of a rule that names an undocumented member; empty if there is none.

    Paths of variables bound by macros (``self.items.all(one, one.name != "")``) are checked as well.
    """
    scopes: dict[str, list[Schema]] = {"self": [schema], "oldSelf": [schema]}
    for match in _PATH_OR_MACRO.finditer(rule):
        if match["root"] not in scopes:
            continue
        nodes: list[Schema] | None = scopes[match["root"]]
        for step in path_steps(match["steps"]):
            nodes = _below(nodes or [], step, document)
            if nodes == []:
                return match["root"] + match["steps"]
            if nodes is None:
                break
        if match["variable"]:
            # A macro binds the items of a list, or the member names of an object.
            rows = [layer for node in nodes or () for layer in beside(node, document)]
            items = [row["items"] for row in rows if isinstance(row.get("items"), dict)]
            scopes[match["variable"]] = items or [True]
    return ""


def _below(nodes: list[Schema], step: str, document: Document) -> list[Schema] | None:
    """Return the schemas of a member; an empty list if undocumented, None if no members are documented."""
    found = [inner for node in nodes for inner in parts(node, document, step)]
    closed = any("properties" in layer for node in nodes for layer in beside(node, document))
    return found if found or closed else None


def stated_rules(schema: Schema, document: Document, scope: Schema | None = None) -> list[StatedRule]:
    """Return every rule of a schema and its subschemas, in document order.

    ``scope`` is the schema of the whole object, if ``schema`` is a branch that documents a part of it.
    """
    found: dict[str, StatedRule] = {}

    def walk(node: Schema, where: str, pointer: str, known: Schema, trail: tuple[int, ...]) -> None:
        if isinstance(node, bool) or id(node) in trail:
            return
        rows = node.get("x-validations", ())
        for at, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict) and isinstance(row.get("rule"), str):
                place = join(where, "x-validations", at)
                found.setdefault(place, _stated(row, known, document, pointer, place))
        trail = (*trail, id(node))
        if "$ref" in node:
            walk(*resolve(node["$ref"], document), pointer, known, trail)
        for inner, below, to, _ in within(node, where, pointer):
            walk(inner, below, to, known if to == pointer else inner, trail)

    walk(schema, pointer_of(schema, document), "", schema if scope is None else scope, ())
    return list(found.values())


def _stated(row: dict[str, Any], schema: Schema, document: Document, pointer: str, where: str) -> StatedRule:
    paths = named_paths(row["rule"])
    return StatedRule(
        code=rule_code(row),
        rule=row["rule"],
        message=str(row.get("message", "")),
        pointer=pointer,
        schema_pointer=where,
        names=tuple(dict.fromkeys(join("", *path_steps(path)) for path in paths)),
        transition=any(path.startswith("oldSelf") for path in paths),
        unknown=unknown_path(row["rule"], schema, document),
        unknown_in_message=unknown_path(str(row.get("messageExpression", "")), schema, document),
    )


def beside(
    schema: Schema, document: Document, maybe: bool = False, trail: tuple[int, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the schema objects that may apply to the same value: itself, referenced ones, branches."""
    yield from (layer for layer, _ in layers(schema, document, maybe, trail))


def layers(
    schema: Schema, document: Document, maybe: bool = False, trail: tuple[int, ...] = ()
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield as :func:`beside`, each with whether it is conditional."""
    if isinstance(schema, bool) or id(schema) in trail:
        return
    yield schema, maybe
    trail = (*trail, id(schema))
    if "$ref" in schema:
        yield from layers(resolve(schema["$ref"], document)[0], document, maybe, trail)
    for inner, _, to, conditional in within(schema, "", ""):
        if to == "":
            yield from layers(inner, document, maybe or conditional, trail)


def parts(schema: Schema, document: Document, part: str) -> Iterator[Schema]:
    """Yield the schemas documented for a member or item; a forbidden member is not documented."""
    for layer in beside(schema, document):
        rows = within(layer, "", "")
        named = [inner for inner, _, to, _ in rows if to and split(to)[0] == part]
        yield from (inner for inner in named if inner is not False)
        if named or part == "*":
            continue
        if part in layer.get("required", ()):
            yield True
        elif part not in layer.get("properties", {}):
            # The schema of any item of an array or any member of a map.
            yield from (inner for inner, _, to, _ in rows if to == "/*" and inner is not False)
