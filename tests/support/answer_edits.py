"""Contract edits of everything around a batch: error and list rules, headers, operation names, paths, filters."""

from __future__ import annotations

from typing import Any

from tests.support.edits import ERROR, OLD, RUN, Edit, parameter
from tests.support.overlays import BATCH, GET, LIST, remove, update

_BOTH = ("get", "list")
_LIST_SCHEMA = f"{LIST}.responses['200'].content['application/json'].schema"
#: A member that only 404 errors have.
_CODED = {
    "allOf": [{"$ref": "#/components/schemas/Error"}],
    "type": "object",
    "required": ["errorCode"],
    "properties": {"errorCode": {"type": "string", "pattern": "^[a-z_]+$"}},
}
_TOLD = "self.statusCode != 404 || (has(self.errorCode) && self.errorCode == 'none')"
_TOTAL = {"X-Total": {"required": True, "schema": {"type": "integer"}}}
_CHALLENGE = {"WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": 'ApiKey realm="sync"'}}}
_SUCCESS, _REFERENCE = f"{GET}.responses['200']", {"$ref": "#/components/schemas/Batch"}
#: An envelope with a rule that joins it to the list.
_COUNTED = {
    "type": "object",
    "required": ["items", "count"],
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}},
        "count": {"type": "integer"},
    },
    "x-validations": [{"code": "count", "rule": "self.count == self.items.size()", "message": "another count"}],
}
_IN_JSON = {
    "name": "opts",
    "in": "query",
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            "example": {"a": 1},
        }
    },
}
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 3}}
_RENAMED = (update(GET, {"operationId": "retrieveBatch"}), update(LIST, {"operationId": "searchBatches"}))
_META = {"type": "object", "required": ["requestId"], "properties": {"requestId": {"type": "string", "minLength": 3}}}
_ANSWER = {
    "type": "object",
    "required": ["data", "meta"],
    "properties": {"data": {"$ref": "#/components/schemas/Batch"}, "meta": _META},
}
#: Get Batch's response as a member of an object.
_ENVELOPE = (
    remove(f"{GET}.responses['200'].content['application/json'].schema"),
    update(f"{GET}.responses['200'].content['application/json']", {"schema": _ANSWER}),
)


#: A batch in an envelope, with a link that ends with the batch's id.
_LINK = {"self": {"type": "string", "format": "uri-reference"}}
_LINKED = (
    remove(f"{GET}.responses['200'].content['application/json'].schema"),
    remove(f"{GET}.responses['200'].content['application/json'].examples"),
    update(
        f"{GET}.responses['200'].content['application/json']",
        {
            "schema": {
                "type": "object",
                "required": ["data", "links"],
                "properties": {
                    "data": {"$ref": "#/components/schemas/Batch"},
                    "links": {"type": "object", "required": ["self"], "properties": _LINK},
                },
                "x-validations": [
                    {"rule": "self.links.self.endsWith(self.data.id)", "code": "self-link", "message": "another link"}
                ],
            }
        },
    ),
)


def _rule(rule: str, code: str) -> dict[str, Any]:
    return {"x-validations": [{"rule": rule, "code": code, "message": "not as the rule has it"}]}


def _filter(name: str, member: str, operator: str, kind: str, **schema: str) -> dict[str, Any]:
    compares = {"member": member, "operator": operator}
    row = {"name": name, "in": "query", "schema": {"type": kind, **schema}, "x-filter": compares}
    return update(LIST, {"parameters": [row]})


def _dates(schema: dict[str, Any], example: Any) -> tuple[dict[str, Any], ...]:
    """Change the type of the creation date, in the batch and in the filters."""
    bounds = [f"{LIST}.parameters[?@.name == '{name}']" for name in ("created_after", "created_before")]
    return (
        remove(f"{BATCH}.properties.created_at"),
        update(f"{BATCH}.properties", {"created_at": schema}),
        *(remove(f"{bound}.schema") for bound in bounds),
        *(update(bound, {"schema": schema, "example": example}) for bound in bounds),
    )


def _below(prefix: str) -> tuple[dict[str, Any], ...]:
    """Move both operations below a prefix with a parameter."""
    org = {"name": "org", "in": "path", "required": True, "schema": {"type": "string"}, "example": "acme"}
    batch = {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}
    listed = {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}}}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refused = {status: {"description": "An error.", "content": error} for status in ("401", "404")}
    one = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "batch_abc123"}

    def operation(name: str, content: Any, *rows: Any) -> dict[str, Any]:
        answers = {"200": {"description": "It.", "content": content}, **refused}
        return {"operationId": name, "parameters": list(rows), "responses": answers}

    return (
        remove("$.paths['/v2/batch']"),
        remove("$.paths['/v2/batch/{id}']"),
        update(
            "$.paths",
            {
                f"{prefix}/batch": {"get": operation("listBatches", listed, org)},
                f"{prefix}/batch/{{id}}": {"get": operation("getBatch", batch, org, one)},
            },
        ),
    )


ANSWER_EDITS = [
    Edit(
        "a rule about errors",
        (
            update(ERROR, {"properties": {"errorCode": {"type": "string"}}}),
            update(ERROR, _rule(_TOLD, "coded")),
        ),
        {OLD: "server.rule.coded", "derived:404:coded": "server.rule.coded"},
    ),
    Edit(
        "a rule about the list",
        (update(_LIST_SCHEMA, _rule("size(self) > 0", "some")),),
        {"derived:list:some": "server.rule.some"},
        (OLD,),
        _BOTH,
    ),
    Edit(
        "one status with an error of its own",
        (update(f"{GET}.responses['404'].content['application/json']", {"schema": _CODED}),),
        {OLD: "server.error.body"},
    ),
    Edit(
        "a required header of the list alone",
        (update(f"{LIST}.responses['200']", {"headers": _TOTAL}),),
        {OLD: "server.header.x-total", "derived:200/X-Total:required": "server.header.x-total"},
        operations=_BOTH,
    ),
    Edit(
        "a filter by a number added",
        (_filter("min_total", "/metrics/total_generations", "gt", "integer"),),
        {OLD: "server.list.by-min_total", "derived:list/min_total:filter": "server.list.by-min_total"},
        operations=_BOTH,
    ),
    Edit(
        "a filter by a flag added",
        (
            update(BATCH, {"required": ["archived"], "properties": {"archived": {"type": "boolean"}}}),
            _filter("archived", "/archived", "eq", "boolean"),
        ),
        {
            OLD: "server.body.archived",
            "derived:list/archived:filter": "server.list.by-archived",
            "derived:list/archived:beside": "server.list.together",
        },
        operations=_BOTH,
    ),
    Edit(
        "two filters in place of three",
        (
            update(BATCH, {"required": ["archived"], "properties": {"archived": {"type": "boolean"}}}),
            *(
                remove(f"{LIST}.parameters[?@.name=='{name}']")
                for name in ("status", "created_after", "created_before")
            ),
            _filter("archived", "/archived", "eq", "boolean"),
            _filter("min_total", "/metrics/total_generations", "gt", "integer"),
        ),
        {"derived:list/min_total:beside": "server.list.together"},
        operations=_BOTH,
    ),
    Edit(
        "a member removed, and the names listed",
        (
            remove(f"{BATCH}.properties.webhookUrl"),
            update(BATCH, {"propertyNames": {"enum": ["id", "created_at", "status", "metrics", "outputUrl"]}}),
        ),
        {OLD: "server.body.others"},
    ),
    Edit(
        "a bound that is a day",
        (
            remove(f"{LIST}.parameters[?@.name=='created_after']"),
            _filter("after_day", "/created_at", "gt", "string", format="date"),
        ),
        {"derived:list/after_day:filter": "server.list.by-after_day"},
        operations=_BOTH,
    ),
    Edit(
        "a batch in an envelope",
        _ENVELOPE,
        {
            OLD: "server.body.object",
            "derived:/data/created_at:format": "server.body.created_at",
            "derived:/data/created_at:changed": "server.poll.identity",
            "derived:/data/metrics:frozen": "server.poll.final",
            "derived:/meta/requestId:minLength": "server.body.meta",
        },
        operations=_BOTH,
    ),
    Edit(
        "a link with the id",
        _LINKED,
        {OLD: "server.body.object", "derived:/:self-link": "server.rule.self-link"},
        operations=_BOTH,
    ),
    Edit(
        "dates as seconds since 1970",
        _dates({"type": "integer", "minimum": 0}, 1705312200),
        {
            OLD: "server.body.created_at",
            "derived:list/created_after:filter": "server.list.by-created_after",
            "list-oldest-first": "server.list.newest-first",
        },
        operations=_BOTH,
    ),
    Edit(
        "dates as days",
        _dates({"type": "string", "format": "date"}, "2024-01-15"),
        {
            OLD: "server.body.created_at",
            "derived:list/created_before:filter": "server.list.by-created_before",
            "list-oldest-first": "server.list.newest-first",
        },
        operations=_BOTH,
    ),
    Edit(
        "another challenge",
        (update(f"{GET}.responses['401']", {"headers": _CHALLENGE}),),
        {
            OLD: "server.header.www-authenticate",
            "derived:401/WWW-Authenticate:const": "server.header.www-authenticate",
            "derived:401/WWW-Authenticate:required": "server.header.www-authenticate",
        },
    ),
    Edit(
        "media types by their suffix",
        (remove(f"{_SUCCESS}.content"), update(_SUCCESS, {"content": {"application/*+json": {"schema": _REFERENCE}}})),
        {OLD: "server.ok.media-type", "derived:200:media-type": "server.ok.media-type"},
    ),
    Edit(
        "errors without a body",
        tuple(remove(f"{GET}.responses['{status}'].content") for status in ("401", "404")),
        {"derived:404:status": "server.notfound.unknown-id"},
        (OLD,),
    ),
    Edit("operations called otherwise", _RENAMED, {"id-number": "server.body.id"}, (OLD,), _BOTH),
    Edit("a prefix with a parameter", _below("/v2/orgs/{org}"), {OLD: RUN}, operations=_BOTH),
    Edit(
        "a list beside its length",
        (remove(f"{_LIST_SCHEMA}.items"), remove(f"{_LIST_SCHEMA}.type"), update(_LIST_SCHEMA, _COUNTED)),
        {OLD: "server.list.array", "derived:list:count": "server.rule.count"},
        operations=_BOTH,
    ),
    Edit(
        "a required query parameter in JSON",
        (update(GET, {"parameters": [_IN_JSON]}),),
        {"id-number": "server.body.id"},
        (OLD,),
    ),
    Edit(
        "a page of the list",
        (
            update(_LIST_SCHEMA, {"maxItems": 3}),
            update(LIST, {"parameters": [_LIMIT]}),
        ),
        {OLD: "server.list.array"},
        operations=_BOTH,
    ),
    Edit(
        "a required query parameter that is a list",
        parameter("include", "query", schema={"type": "array", "items": {"type": "string"}}, example=["a", "b"]),
        {"id-number": "server.body.id"},
        (OLD,),
    ),
]

ANSWER_CLIENT_EDITS = [
    Edit(
        "a required query parameter in JSON", (update(GET, {"parameters": [_IN_JSON]}),), {OLD: "client.request.target"}
    ),
    Edit(
        "a link with the id",
        _LINKED,
        {OLD: "client.decode.fields", "derived:/links/self:lost": "client.decode.fields"},
    ),
    Edit(
        "ids of a form",
        (update(f"{BATCH}.properties.id", {"pattern": "^batch_[a-z0-9]{6}$"}),),
        {"id-as-asked": "client.decode.id"},
    ),
    Edit(
        "a batch in an envelope",
        _ENVELOPE,
        {
            OLD: "client.decode.fields",
            "derived:/data/webhookUrl:lost": "client.decode.fields",
            "derived:/data/created_at:an-hour-later": "client.decode.created_at",
            "derived:/meta/requestId:garbled": "client.decode.fields",
        },
    ),
    Edit(
        "errors without a body",
        tuple(remove(f"{GET}.responses['{status}'].content") for status in ("401", "404")),
        {"derived:404:kind": "client.error.404"},
        (OLD,),
    ),
    Edit("operations called otherwise", _RENAMED, {"derived:404:kind": "client.error.404"}, (OLD,)),
    Edit("a prefix with a parameter", _below("/v2/orgs/{org}"), {OLD: "client.request.target"}),
    Edit(
        "a required query parameter that is a list",
        parameter("include", "query", schema={"type": "array", "items": {"type": "string"}}, example=["a", "b"]),
        {OLD: "client.request.target"},
    ),
    Edit(
        "a required query parameter that is an object",
        parameter("f", "query", schema={"type": "object"}, style="deepObject", example={"a": 5}),
        {OLD: "client.request.target"},
    ),
]
