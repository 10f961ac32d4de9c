"""Strict reading and writing of YAML and JSON as OpenAPI documents use them (YAML 1.2, JSON values only)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from typing import Any

import yaml

#: Limit of the values of a document, each alias counted as what it stands for.
MOST_VALUES = 1_000_000


class NotReadable(ValueError):
    """Text that is neither YAML nor JSON (``malformed``), or holds values that JSON lacks.

    The message is one line: place and problem.
    """

    def __init__(self, message: str, *, malformed: bool = False) -> None:
        super().__init__(message)
        self.malformed = malformed


class _Loader(yaml.SafeLoader):
    """YAML 1.2 (core schema): no dates, no ``yes`` and ``no``, no base-60 numbers, no duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(getattr(key, "value", ""))
            if name in seen:
                raise NotReadable(f"{_place(key.start_mark)}: the member {name!r} stands twice")
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), list(_first))


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    # PyYAML's own constructor reads 010 as octal.
    return int(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _decimal)


def read_text(text: str) -> Any:
    """Read YAML or JSON (which is YAML) into plain JSON values. Raises :class:`NotReadable`."""
    try:
        if text.lstrip()[:1] in ("{", "["):
            return _plain(_bounded(_json(text)), "")
        return _plain(_bounded(yaml.load(text, Loader=_Loader)), "")
    except yaml.MarkedYAMLError as error:
        where = f"{_place(error.problem_mark)}: " if error.problem_mark else ""
        problem = error.problem or error.context or "not YAML"
        tag = re.search(r"could not determine a constructor for the tag '(.*)'", problem)
        if tag:
            problem = f"the tag {tag[1].replace('tag:yaml.org,2002:', '!!')} makes no JSON value; leave it out"
        malformed = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)
        raise NotReadable(f"{where}{problem}", malformed=malformed) from None
    except yaml.YAMLError as error:
        raise NotReadable(" ".join(str(error).split()), malformed=True) from None
    except RecursionError:
        raise NotReadable("nested too deeply, or an alias stands within what it names") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        # YAML in flow style looks like JSON.
        try:
            return yaml.load(text, Loader=_Loader)
        except yaml.YAMLError:
            message = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise NotReadable(message, malformed=True) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise NotReadable(f"the member {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return members


def _no_constant(name: str) -> Any:
    raise NotReadable(f"{name} is no JSON number")


def _bounded(document: Any) -> Any:
    """Return the document; raise where aliases of aliases make too much of a short text."""
    counted: dict[int, int] = {}

    def values(value: Any) -> int:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if id(value) not in counted:
            counted[id(value)] = 1 + sum(map(values, parts))
        return counted[id(value)]

    if values(document) > MOST_VALUES:
        raise NotReadable(f"its aliases make more than {MOST_VALUES:,} values of it")
    return document


def _plain(value: Any, place: str) -> Any:
    """Return the value with string keys; raise for values that JSON lacks."""
    if isinstance(value, dict):
        return {_key(key, place): _plain(item, f"{place}/{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{place}/{at}") for at, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise NotReadable(f"at {place or '/'}: {value} is no JSON number")
    if value is None or isinstance(value, str | int | float):
        return value
    raise NotReadable(f"at {place or '/'}: a {type(value).__name__} is no JSON value; quote it")


def _key(key: Any, place: str) -> str:
    # Statuses as keys are often unquoted.
    if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
        return str(key)
    raise NotReadable(f"at {place or '/'}: the key {key!r} is no text; quote it")


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"


class _Dumper(yaml.SafeDumper):
    """YAML dumper without anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def yaml_text(value: Any) -> str:
    """Format JSON values as YAML, in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
