"""Reads files as plain values: JSON with duplicate names preserved, YAML without custom types."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

import yaml

#: The most bytes read from one file, and written for one body.
FILE_LIMIT = 64 << 20
BODY_LIMIT = 8 << 20
#: YAML nested deeper than this is rejected, since it can crash the C parser and the process.
YAML_DEPTH = 100
_TOO_DEEP = "it is nested too deeply to be read"
_BOM = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """Raised for a file, or part of one, that cannot be read. The message quotes nothing from the file."""


class Members(dict[str, Any]):
    """A JSON object; ``pairs`` are its members as written, with duplicate names."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    @property
    def repeated(self) -> str | None:
        """The first duplicate name; None where there is none."""
        if len(self) == len(self.pairs):
            return None
        names = [name for name, _ in self.pairs]
        return next(name for name in names if names.count(name) > 1)


def parse(data: bytes, suffix: str) -> Any:
    """Parse a file's bytes as YAML if the suffix says so, else as JSON. Raises :class:`Unreadable`."""
    if len(data) > FILE_LIMIT:
        raise Unreadable(f"it has {len(data):,} bytes, and no more than {FILE_LIMIT:,} are read")
    if b"\0" in data:
        raise Unreadable(f"it is not text: byte {data.index(0)} is NUL")
    data = data.removeprefix(_BOM)
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 at byte {error.start}") from None
    try:
        return _parse_yaml(text) if suffix in (".yaml", ".yml") else parse_json(text)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None


def parse_json(text: str) -> Any:
    """Parse a JSON text, with exact numbers. Raises :class:`Unreadable` and ``RecursionError``."""
    try:
        return json.loads(
            text,
            object_pairs_hook=Members,
            parse_int=lambda digits: int(digits) if len(digits) < 4000 else Decimal(digits),
            parse_float=Decimal,
            parse_constant=_refuse,
        )
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None


def _refuse(name: str) -> NoReturn:
    raise Unreadable(f"it is not JSON: it holds {name}")


_CLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(_CLoader):  # type: ignore[misc]
    """YAML loader for plain data: dates stay text, and custom tags such as ``!ruby/…`` are ignored."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to configure it
        first: [(tag, pattern) for tag, pattern in rules if tag != _TIMESTAMP]
        for first, rules in _CLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping, and reject merge keys and duplicate names."""
        # Nested merges can grow exponentially.
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            problem = "merge keys (<<) are not read"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
        value: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(value) != len(node.value):
            problem = "a name stands twice in the mapping that begins"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
        return value


def _unknown_tag(loader: Any, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    text = loader.construct_scalar(node)
    if tag == "binary":  # written by Ruby instead of YAML's !!binary
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):  # ValueError: not even ASCII
            raise yaml.constructor.ConstructorError(problem="no base64", problem_mark=node.start_mark) from None
    return text


_Loader.add_constructor(_TIMESTAMP, lambda loader, node: loader.construct_scalar(node))
_Loader.add_multi_constructor("!", _unknown_tag)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _unknown_tag)


def _parse_yaml(text: str) -> Any:
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > YAML_DEPTH:
                raise Unreadable(_TOO_DEEP)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or ""):
            # Newer versions of libyaml have a lower limit of their own.
            raise Unreadable(_TOO_DEEP) from None
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Unreadable(f"it is not YAML that can be read: {error.problem or 'a fault'}{where}") from None
    except yaml.reader.ReaderError as error:
        raise Unreadable(f"it is not YAML: a character that is not allowed at position {error.position}") from None
    except (yaml.YAMLError, ValueError, KeyError, IndexError, AttributeError):
        # PyYAML raises these for scalars that do not match their tag.
        raise Unreadable("it is not YAML that can be read") from None


def written(value: Any) -> bytes:
    """Serialise a value of a file as JSON again, with duplicate names. Raises :class:`Unreadable`."""
    pieces: list[str] = []
    try:
        _write(value, pieces, [BODY_LIMIT])
    except RecursionError:
        raise Unreadable("a body in it is nested too deeply to be read") from None
    return "".join(pieces).encode("utf-8", "surrogatepass")


def _write(value: Any, pieces: list[str], left: list[int]) -> None:
    if isinstance(value, Mapping):
        pairs = value.pairs if isinstance(value, Members) else value.items()
        for number, (name, item) in enumerate(pairs):
            _put(("," if number else "{") + json.dumps(str(name), ensure_ascii=False) + ":", pieces, left)
            _write(item, pieces, left)
        _put("}" if pairs else "{}", pieces, left)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _put("," if number else "[", pieces, left)
            _write(item, pieces, left)
        _put("]" if value else "[]", pieces, left)
    elif isinstance(value, Decimal):
        _put(str(value), pieces, left)
    elif value is None or isinstance(value, str | bool | int | float):
        _put(json.dumps(value, ensure_ascii=False), pieces, left)
    else:
        raise Unreadable("a body in it holds what JSON does not have")


def _put(text: str, pieces: list[str], left: list[int]) -> None:
    left[0] -= len(text)
    if left[0] < 0:
        raise Unreadable(f"a body in it has more than {BODY_LIMIT:,} bytes")
    pieces.append(text)
