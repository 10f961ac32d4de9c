"""Reading of operations from the (overlaid) OpenAPI document."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from batch_conformance.contract.document import ContractDocument, pointer
from batch_conformance.contract.openapi_shape import METHODS
from batch_conformance.contract.operation import Answer, Contract, KeyPlace, MediaType, Operation
from batch_conformance.contract.parameter import Parameter

#: Names of operations in the suite, its options and reports, with the ``operationId`` of each in the contract's files.
#: The folder of an operation and its name in the driver protocol are the ``operationId`` in snake case.
OPERATION_IDS: dict[str, str] = {"get": "getBatch", "list": "listBatches"}
_NOTHING = object()
#: Values by format, for parameters without an example.
_TEXTS = {
    "date-time": "2024-01-15T10:30:00Z",
    "date": "2024-01-15",
    "time": "10:30:00Z",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "uri": "https://example.com/",
    "email": "someone@example.com",
}


def snake_name(operation: str) -> str:
    """Return the name of an operation in the driver protocol, also that of its folder: ``get_batch``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", OPERATION_IDS[operation]).lower()


def contract_of(document: ContractDocument) -> Contract:
    """Build the contract of a document."""
    content = document.content
    found = list(_operations(document))
    return Contract(
        document=document,
        operations=dict(_named(found)),
        servers={str(row.get("x-name", row["url"])): _url(row) for row in content.get("servers", [])},
        sha256=document.sha256,
        overlays=document.overlays,
    )


def _url(server: Mapping[str, Any]) -> str:
    """Return the URL of a server, with the defaults of its variables (OpenAPI 3.1, 4.8.6)."""
    url = str(server["url"])
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url


def _named(found: list[Operation]) -> Iterator[tuple[str, Operation]]:
    """Yield the operations by name, found by ``operationId``.

    Where an overlay renamed one, a GET is found by whether its path ends with a parameter.
    """
    rest = list(found)
    by_id = {row.operation_id: row for row in found}
    for name, operation_id in OPERATION_IDS.items():
        row = by_id.get(operation_id)
        if row is None:
            alike = [
                other
                for other in rest
                if other.method == "GET"
                and other.operation_id not in OPERATION_IDS.values()
                and other.path.endswith("}") == (name == "get")
            ]
            # Fewest parameters, as in the shipped contract.
            row = min(alike, key=lambda other: len(other.path_parameters), default=None)
        if row is not None:
            rest.remove(row)
            yield name, replace(row, name=name)


def written_operations(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield path, method in lower case, and the operation as it is written in an OpenAPI document."""
    for path, item in content["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _operations(document: ContractDocument) -> Iterator[Operation]:
    return (_operation(document, path, method) for path, method, _ in written_operations(document.content))


def _operation(document: ContractDocument, path: str, method: str) -> Operation:
    content = document.content
    item = content["paths"][path]
    raw = item[method]
    place = "/paths" + pointer(path, method)
    keys = tuple(_keys(document, raw))
    parameters = {
        (row["in"], row["name"]): row
        for row in map(document.resolve, (*item.get("parameters", []), *raw.get("parameters", [])))
    }
    return Operation(
        name=raw.get("operationId", f"{method} {path}"),
        operation_id=raw.get("operationId", ""),
        method=method.upper(),
        path=path,
        pointer=place,
        parameters=tuple(_parameter(document, row) for row in parameters.values() if not _is_ignored(row)),
        key=next(iter(keys), None),
        keys=keys,
        answers={
            key: _answer(document, key, answer, f"{place}/responses" + pointer(key))
            for key, answer in raw["responses"].items()
            if not key.startswith("x-")
        },
    )


def _is_ignored(row: Mapping[str, Any]) -> bool:
    """Whether OpenAPI ignores a parameter: headers that are described elsewhere (3.1, 4.8.12.2)."""
    return row["in"] == "header" and row["name"].lower() in ("accept", "content-type", "authorization")


def _parameter(document: ContractDocument, row: Mapping[str, Any]) -> Parameter:
    media: Mapping[str, Any] = next(iter(row.get("content", {}).values()), {})
    schema = document.resolve(row.get("schema", media.get("schema", {})))
    # A parameter with `content` has its examples there (3.1, 4.8.12.3).
    described = {**media, **row}
    example = _example(document, described, schema if isinstance(schema, dict) else {})
    return Parameter(
        name=row["name"],
        place=row["in"],
        required=row.get("required", False),
        schema=schema if isinstance(schema, dict) else {},
        example=None if example is _NOTHING else example,
        has_example=example is not _NOTHING,
        member=row.get("x-member", ""),
        filter_as_written=row.get("x-filter"),
        style=row.get("style", ""),
        explode=row.get("explode"),
        media_type=next(iter(row.get("content", ())), ""),
    )


def _example(document: ContractDocument, row: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return the example of a parameter: its own, its schema's, or the first value that the schema names."""
    if "example" in row:
        return row["example"]
    for entry in row.get("examples", {}).values():
        entry = document.resolve(entry)
        if isinstance(entry, dict) and "value" in entry:
            return entry["value"]
    for name in ("const", "default", "example"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    return _plain_value(schema)


def _plain_value(schema: Mapping[str, Any]) -> Any:
    """Return a value for a parameter with a simple schema and no example, or ``_NOTHING``."""
    if "pattern" in schema:
        return _NOTHING
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    value: Any = {"boolean": True, "integer": 1, "number": 1}.get(str(kind), _NOTHING)
    if kind == "string":
        # Without a format, there is no telling which strings a server accepts.
        value = _TEXTS.get(schema.get("format", ""), _NOTHING)
    elif kind in ("integer", "number"):
        value = max(value, math.ceil(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)))
    return value if value is _NOTHING or Draft202012Validator(schema).is_valid(value) else _NOTHING


def _keys(document: ContractDocument, raw: Mapping[str, Any]) -> Iterator[KeyPlace]:
    """Yield the keys that ``security`` requires, in order; none where a request without a key is allowed."""
    content = document.content
    rows = raw.get("security", content.get("security", []))
    if {} in rows:
        return
    schemes = content.get("components", {}).get("securitySchemes", {})
    for scheme in (document.resolve(schemes[name]) for row in rows for name in row):
        if not is_supported(scheme):
            continue
        if scheme.get("type") == "apiKey":
            yield KeyPlace(scheme["name"], scheme["in"])
        else:
            word = str(scheme["scheme"])
            yield KeyPlace("Authorization", "header", f"{word[:1].upper()}{word[1:]} ")


def is_supported(scheme: Mapping[str, Any]) -> bool:
    """Whether a security scheme is supported: an API key or a bearer token."""
    kind = scheme.get("type")
    return kind == "apiKey" or (kind == "http" and str(scheme.get("scheme", "")).lower() == "bearer")


def _answer(document: ContractDocument, key: str, raw: Any, place: str) -> Answer:
    if isinstance(raw, dict) and str(raw.get("$ref", "")).startswith("#/"):
        place = raw["$ref"][1:]
    answer = document.resolve(raw)
    media_types = {}
    for name, media in answer.get("content", {}).items():
        examples = {label: document.resolve(row).get("value") for label, row in media.get("examples", {}).items()}
        if "example" in media:
            examples["example"] = media["example"]
        where = f"{place}/content{pointer(name)}/schema"
        # Media types are case-insensitive (RFC 9110, 8.3.1).
        media_types[name.lower()] = MediaType(name.lower(), media.get("schema", True), where, examples)
    headers = {name: document.resolve(row) for name, row in answer.get("headers", {}).items()}
    return Answer(key, answer.get("description", ""), media_types, headers)
