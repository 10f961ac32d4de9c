"""JSON Schema of the parts of an OpenAPI 3.1 document that the suite reads.

Source: OpenAPI Specification 3.1.0. Unknown members that do not begin with ``x-`` are refused, since most of
them are misspelt.
"""

from __future__ import annotations

from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_ANY_SCHEMA: dict[str, Any] = {"type": ["object", "boolean"]}


def _object(required: tuple[str, ...] = (), /, **members: Any) -> dict[str, Any]:
    """Return the schema of an object with these members (trailing underscore dropped) and extensions only."""
    properties = {name.rstrip("_"): value for name, value in members.items()}
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def _map(of: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{of}"}}
    return {**shape, "propertyNames": names} if names else shape


def _or_reference(of: str) -> dict[str, Any]:
    return {
        "if": {"type": "object", "required": ["$ref"]},
        "then": {"$ref": "#/$defs/reference"},
        "else": {"$ref": f"#/$defs/{of}"},
    }


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_COMPONENT_NAME = {"pattern": r"^[A-Za-z0-9._-]+\Z"}
_SECURITY = _list({"type": "object", "additionalProperties": _list(_TEXT)})
_SCHEMA_OR_CONTENT: dict[str, Any] = {"oneOf": [{"required": ["schema"]}, {"required": ["content"]}]}
_EXAMPLES = {"type": "object", "additionalProperties": {"type": "object"}}
#: Members that parameters and headers share.
_DESCRIBED: dict[str, Any] = {
    "description": _TEXT, "required": _FLAG, "deprecated": _FLAG, "style": _TEXT, "explode": _FLAG,
    "schema": _ANY_SCHEMA, "example": True, "examples": _EXAMPLES,
    "content": {**_map("media_type"), "minProperties": 1, "maxProperties": 1},
}  # fmt: skip
#: Styles by place of a parameter (4.8.12.2).
_STYLES: dict[str, list[str]] = {
    "path": ["simple", "matrix", "label"],
    "query": ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
    "header": ["simple"],
    "cookie": ["form"],
}

OPENAPI_SHAPE: dict[str, Any] = {
    **_object(
        ("openapi", "info", "paths"),
        openapi={"type": "string", "pattern": r"^3\.1\.\d+\Z"},
        info=_object(
            ("title", "version"),
            title=_TEXT, version=_TEXT, summary=_TEXT, description=_TEXT, termsOfService=_TEXT,
            contact={"type": "object"}, license={"type": "object"},
        ),
        jsonSchemaDialect=_TEXT,
        servers=_list({"$ref": "#/$defs/server"}),
        security=_SECURITY,
        tags=_list({"type": "object", "required": ["name"]}),
        externalDocs={"type": "object"},
        webhooks={"type": "object"},
        paths={
            "type": "object",
            "patternProperties": {"^/": {"$ref": "#/$defs/path_item"}, "^x-": {}},
            "additionalProperties": False,
        },
        components=_object(
            schemas=_map("schema", _COMPONENT_NAME),
            parameters=_map("any_parameter", _COMPONENT_NAME),
            headers=_map("any_header", _COMPONENT_NAME),
            responses=_map("any_response", _COMPONENT_NAME),
            securitySchemes=_map("any_security_scheme", _COMPONENT_NAME),
            examples={"type": "object"}, requestBodies={"type": "object"}, links={"type": "object"},
            callbacks={"type": "object"}, pathItems={"type": "object"},
        ),
    ),
    "$defs": {
        "reference": {"type": "object", "required": ["$ref"], "properties": {"$ref": _TEXT}},
        "schema": _ANY_SCHEMA,
        "server": _object(("url",), url=_TEXT, description=_TEXT, variables={"type": "object"}),
        "path_item": _object(
            summary=_TEXT, description=_TEXT,
            servers=_list({"$ref": "#/$defs/server"}), parameters=_list(_or_reference("parameter")),
            **{method: {"$ref": "#/$defs/operation"} for method in METHODS},
        ),
        "operation": _object(
            ("responses",),
            operationId=_TEXT, summary=_TEXT, description=_TEXT, tags=_list(_TEXT), deprecated=_FLAG,
            parameters=_list(_or_reference("parameter")), requestBody={"type": "object"},
            callbacks={"type": "object"}, externalDocs={"type": "object"},
            servers=_list({"$ref": "#/$defs/server"}), security=_SECURITY,
            responses={
                "type": "object", "minProperties": 1,
                "patternProperties": {
                    r"^(?:default|[1-5](?:[0-9]{2}|XX))\Z": {"$ref": "#/$defs/any_response"}, "^x-": {},
                },
                "additionalProperties": False,
            },
        ),
        "any_parameter": _or_reference("parameter"),
        "any_header": _or_reference("header"),
        "any_response": _or_reference("response"),
        "any_security_scheme": _or_reference("security_scheme"),
        "parameter": {
            **_object(
                ("name", "in"), name={**_TEXT, "minLength": 1}, in_={"enum": ["path", "query", "header", "cookie"]},
                allowEmptyValue=_FLAG, allowReserved=_FLAG, **_DESCRIBED,
            ),
            **_SCHEMA_OR_CONTENT,
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"required": ["required"], "properties": {"required": {"const": True}}},
            "allOf": [
                {"if": {"properties": {"in": {"const": place}}}, "then": {"properties": {"style": {"enum": styles}}}}
                for place, styles in _STYLES.items()
            ],
        },
        "header": {**_object(**{**_DESCRIBED, "style": {"const": "simple"}}), **_SCHEMA_OR_CONTENT},
        "response": _object(
            ("description",), description=_TEXT, headers=_map("any_header"), content=_map("media_type"),
            links={"type": "object"},
        ),
        "media_type": _object(
            schema=_ANY_SCHEMA, example=True, examples=_EXAMPLES, encoding={"type": "object"},
        ),
        "security_scheme": {
            **_object(
                ("type",), type={"enum": ["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"]},
                description=_TEXT, name={**_TEXT, "minLength": 1}, in_={"enum": ["query", "header", "cookie"]},
                scheme=_TEXT, bearerFormat=_TEXT, flows={"type": "object"}, openIdConnectUrl=_TEXT,
            ),
            "if": {"properties": {"type": {"const": "apiKey"}}},
            "then": {"required": ["name", "in"]},
        },
    },
}  # fmt: skip
