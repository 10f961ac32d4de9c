"""Checks of parameter values: can an example be sent, is a received value documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.operation import Operation
from batch_conformance.contract.parameter import Parameter
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.contract.written_values import array_of, kinds_of, object_of

#: A field name is a token, a field value trimmed printable ASCII (RFC 9110, 5.1 and 5.5).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[!-~]+(?:[ \t]+[!-~]+)*")
#: Styles of path parameters (OpenAPI 3.1, 4.8.12.2) that the suite does not support.
UNSUPPORTED_STYLES = ("matrix", "label")
#: Headers of the transport, in lower case: no API key and no parameter can be in one (RFC 9110, 7; RFC 9112, 6).
TRANSPORT_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"}
)
#: RFC 6265, 4.1.1.
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")


def unsendable(parameter: Parameter, document: dict[str, Any]) -> Iterator[str]:
    """Yield the problems of a required parameter's example."""
    if not parameter.has_example:
        yield "has no example to be sent; give it one"
        return
    text = parameter.example_text()
    if parameter.place in ("header", "cookie") and not is_token(parameter.name):
        yield f"has a name that no {parameter.place} can have; give it another one"
    elif parameter.place == "header" and parameter.name.lower() in TRANSPORT_HEADERS:
        yield "is a header of the transport, which the HTTP library sets; give it another name"
    elif parameter.place == "header" and not _FIELD_VALUE.fullmatch(text):
        yield f"has the example {text!r}, which no header can hold (printable ASCII); give it another one"
    elif parameter.place == "cookie" and not _COOKIE_VALUE.fullmatch(text):
        yield f"has the example {text!r}, which no cookie can hold; give it another one"
    else:
        judge = SchemaJudge(dict(parameter.schema), document)
        if not any(map(judge.is_valid, _readings(parameter.example, text))):
            yield f"has the example {text!r}, which does not fit its own schema; give it another one"


def by_example(operation: Operation, path: str) -> str:
    """Return a raw URL path in which documented values of the non-id parameters are the examples."""
    rows = [row for row in operation.of_place("path") if row.name != operation.id_parameter]
    others = {row.name: row for row in rows if row.has_example}
    if not others:
        return path
    pieces = operation.pieces
    pattern = "".join(
        f"({'[^/]+' if piece in others else '.*'})" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    )
    match = re.fullmatch(f"(.*?){pattern}", path, re.DOTALL)
    if match is None:
        return path
    base, *values = match.groups()
    pieces[1::2] = [_or_example(others.get(name), there) for name, there in zip(pieces[1::2], values, strict=True)]
    return base + "".join(pieces)


def _or_example(row: Parameter | None, there: str) -> str:
    documented = row is not None and may_be(row, [(row.name, unquote(there))])
    return row.in_path() if row is not None and documented else there


def id_segment(operation: Operation, path: str) -> str:
    """Return the raw segment that names the batch, whatever the other parameters; empty on other paths."""
    return operation.raw_segment(by_example(operation, path))


def is_token(name: str) -> bool:
    """Whether a string can be the name of a header or a cookie."""
    return _TOKEN.fullmatch(name) is not None


def may_be(parameter: Parameter, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether received name-value pairs can be a documented value of a parameter, in any possible reading.

    Arrays and objects are read by ``style`` and ``explode``; other values that are repeated are accepted.
    """
    document, schema = current_contract().document.content, dict(parameter.schema)
    judge = SchemaJudge(schema, document)
    if parameter.is_json:
        return len(pairs) == 1 and any(map(judge.is_valid, _as_json(pairs[0][1])))
    kinds = kinds_of(schema, document)
    readings: list[Any] = []
    if kinds == {"array"} and parameter.repeats(pairs):
        return False
    if "array" in kinds:
        readings.append(array_of(parameter.items_in(pairs), schema, document))
    if "object" in kinds:
        readings.append(object_of(parameter.members_in(pairs), schema, document))
    if not readings or kinds - {"array", "object"}:
        readings += _readings(pairs[0][1], pairs[0][1]) if len(pairs) == 1 else []
    return not readings or any(map(judge.is_valid, readings))


def _as_json(text: str) -> Iterator[Any]:
    with suppress(ValueError):
        yield json.loads(text)


def _readings(example: Any, text: str) -> Iterator[Any]:
    """Yield the possible readings of a sent value: the example, and its text as string, JSON or list."""
    yield example
    yield text
    try:
        yield json.loads(text)
    except ValueError:
        yield text.split(",")
