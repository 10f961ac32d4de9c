"""Edits of the contract, as data: what changes, who must be red under the edited contract, and who stays green.

``old`` is the reference server, or client, of the contract as it is, in a process of its own; ``derived:…`` a mutant of
the edited contract. The embedded subject conforms to each of these contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.overlays import BATCH, GET, remove, update

Action = dict[str, Any]
STATUS, METRICS, ERROR = (
    f"{BATCH}.properties.status",
    "$.components.schemas.Metrics",
    "$.components.schemas.Error",
)
KEY = "$.components.securitySchemes.apiKey"
OLD, RUN = "old", "the run"


@dataclass(frozen=True)
class Edit:
    """One kind of edit. ``red`` names for each subject the clause that it breaks (``RUN``: it cannot be judged at all).

    A clause may be the beginning of ids, with a dot at its end. ``green`` are subjects that stay green besides the
    embedded one.
    """

    name: str
    actions: tuple[Action, ...]
    red: Mapping[str, str] = field(default_factory=dict)
    green: tuple[str, ...] = ()


def member(name: str, schema: Any, *, required: bool = False) -> tuple[Action, ...]:
    """A member added to the batch."""
    rows = [update(f"{BATCH}.properties", {name: schema})]
    return (*rows, update(BATCH, {"required": [name]})) if required else tuple(rows)


def without(*names: str) -> tuple[Action, ...]:
    """Members that are required no more."""
    return tuple(remove(f"{BATCH}.required[?@ == '{name}']") for name in names)


def retyped(target: str, schema: Any) -> tuple[Action, ...]:
    """Another type: what is there is removed before, arrays would grow."""
    return (remove(f"{target}.type"), update(target, schema))


def parameter(name: str, place: str, **more: Any) -> tuple[Action, ...]:
    """A required parameter."""
    row = {
        "name": name,
        "in": place,
        "required": True,
        "schema": {"type": "string"},
        "example": "acme",
        **more,
    }
    return (update(GET, {"parameters": [row]}),)


def error_types(name: str, *statuses: str) -> tuple[Action, ...]:
    """Errors of another media type."""
    content = {name: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return tuple(
        action
        for status in statuses
        for action in (
            remove(f"{GET}.responses['{status}'].content"),
            update(f"{GET}.responses['{status}']", {"content": content}),
        )
    )


def moved(path: str) -> tuple[Action, ...]:
    """Get Batch at another path."""
    operation = {
        "operationId": "getBatch",
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "example": "batch_abc123",
            }
        ],
        "responses": {
            "200": {
                "description": "The batch.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}},
            },
            **{
                status: {
                    "description": "An error.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status in ("401", "404", "429", "500")
            },
        },
    }
    return (remove("$.paths['/v2/batch/{id}']"), update("$.paths", {path: {"get": operation}}))


_TAGS = {
    "type": "array",
    "items": {"type": "string", "minLength": 2},
    "minItems": 1,
    "maxItems": 3,
    "uniqueItems": True,
}
_OWNER = {
    "type": "object",
    "required": ["email", "address"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
    },
}
_EITHER = {
    "oneOf": [
        {"type": "string", "minLength": 3},
        {"type": "object", "required": ["level"], "properties": {"level": {"type": "integer", "minimum": 0}}},
    ]
}
_FORMATS = ("date-time", "date", "time", "uuid", "uri", "email")

SERVER_EDITS = [
    Edit(
        "a required member",
        member("priority", {"type": "integer", "minimum": 1}, required=True),
        {
            OLD: "server.body.priority",
            "derived:/priority:type": "server.body.priority",
            "derived:/priority:minimum": "server.body.priority",
            "derived:/priority:required": "server.body.priority",
        },
    ),
    Edit(
        "an optional member",
        member("label", {"type": "string"}),
        {"derived:/label:type": "server.body.label"},
        (OLD,),
    ),
    Edit(
        "a member removed",
        (remove(f"{BATCH}.properties.webhookUrl"),),
        {"derived:/outputUrl:type": "server.body.outputUrl"},
        (OLD, "webhook-number"),
    ),
    Edit(
        "a member forbidden",
        (remove(f"{BATCH}.properties.webhookUrl"), *member("webhookUrl", False)),
        {OLD: "server.body.webhookUrl"},
    ),
    Edit(
        "a member renamed",
        (
            remove(f"{BATCH}.properties.created_at"),
            *without("created_at"),
            *member("createdAt", {"type": "string", "format": "date-time"}, required=True),
        ),
        {OLD: "server.body.createdAt", "derived:/createdAt:format": "server.body.createdAt"},
    ),
    Edit(
        "a type changed",
        (
            remove(f"{BATCH}.properties.created_at.format"),
            *retyped(f"{BATCH}.properties.created_at", {"type": "integer"}),
        ),
        {OLD: "server.body.created_at"},
    ),
    Edit(
        "null allowed",
        retyped(f"{BATCH}.properties.outputUrl", {"type": ["string", "null"]}),
        {"derived:/outputUrl:type": "server.body.outputUrl"},
        (OLD,),
    ),
    Edit(
        "null forbidden",
        retyped(f"{BATCH}.properties.webhookUrl", {"type": "string"}),
        {OLD: "server.body.webhookUrl"},
    ),
    Edit(
        "an optional member made required",
        (update(BATCH, {"required": ["webhookUrl"]}),),
        {OLD: "server.body.webhookUrl"},
    ),
    Edit(
        "a required member made optional",
        without("outputUrl"),
        {"derived:/outputUrl:type": "server.body.outputUrl"},
        (OLD, "output-missing"),
    ),
    Edit(
        "an enum widened",
        (update(STATUS, {"enum": ["CANCELED"]}),),
        {"derived:/status:enum": "server.body.status"},
        (OLD,),
    ),
    Edit("an enum narrowed", (remove(f"{STATUS}.enum[?@ == 'PROCESSING']"),), {OLD: "server.body.status"}),
    Edit(
        "a final status added",
        (update(STATUS, {"enum": ["CANCELED"], "x-lifecycle": {"final": ["CANCELED"]}}),),
        {
            "derived:/status:lifecycle:CANCELED-PENDING": "server.poll.final",
            "derived:/status:lifecycle:CANCELED-COMPLETED": "server.poll.final",
        },
        (OLD,),
    ),
    Edit(
        "a status added in the middle",
        (
            update(STATUS, {"enum": ["PAUSED"]}),
            remove(f"{STATUS}['x-lifecycle'].order"),
            update(
                f"{STATUS}['x-lifecycle']",
                {"order": ["PENDING", "JOBS_CREATED", "PAUSED", "PROCESSING", "COMPLETED", "FAILED"]},
            ),
        ),
        {"derived:/status:lifecycle:PROCESSING-PAUSED": "server.poll.forward-only"},
        (OLD,),
    ),
    Edit(
        "a final status that is final no more",
        (remove(f"{STATUS}['x-lifecycle'].final[?@ == 'FAILED']"),),
        {"derived:/status:lifecycle:COMPLETED-FAILED": "server.poll.final"},
        (OLD, "failed-success-grows"),
    ),
    Edit(
        "statuses that may change places",
        (
            remove(f"{STATUS}['x-lifecycle'].order"),
            update(
                f"{STATUS}['x-lifecycle']",
                {"order": [["PENDING", "JOBS_CREATED"], "PROCESSING", "COMPLETED", "FAILED"]},
            ),
        ),
        {"derived:/status:lifecycle:PROCESSING-PENDING": "server.poll.forward-only"},
        (OLD,),
    ),
    Edit(
        "const",
        member("apiVersion", {"const": "v2"}, required=True),
        {OLD: "server.body.apiVersion", "derived:/apiVersion:const": "server.body.apiVersion"},
    ),
    Edit(
        "an enum of a new member",
        member("tier", {"enum": ["free", "pro"]}, required=True),
        {OLD: "server.body.tier", "derived:/tier:enum": "server.body.tier"},
    ),
    *(
        Edit(
            f"format {name}",
            member("extra", {"type": "string", "format": name}, required=True),
            {"derived:/extra:format": "server.body.extra"},
        )
        for name in _FORMATS
    ),
    Edit(
        "pattern",
        (update(f"{BATCH}.properties.id", {"pattern": "^batch_[a-z0-9]{6}$"}),),
        {OLD: "server.body.id"},
    ),
    Edit(
        "maximum",
        (update(f"{METRICS}.properties.total_generations", {"maximum": 9}),),
        {OLD: "server.body.metrics"},
    ),
    Edit(
        "bounds of a number",
        member(
            "ratio",
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2, "multipleOf": 0.25},
            required=True,
        ),
        {
            "derived:/ratio:exclusiveMinimum": "server.body.ratio",
            "derived:/ratio:exclusiveMaximum": "server.body.ratio",
            "derived:/ratio:multipleOf": "server.body.ratio",
        },
    ),
    Edit(
        "minLength",
        (update(f"{BATCH}.properties.outputUrl", {"minLength": 1}),),
        {OLD: "server.body.outputUrl"},
    ),
    Edit("maxLength", (update(f"{BATCH}.properties.id", {"maxLength": 11}),), {OLD: "server.body.id"}),
    Edit(
        "arrays",
        member("tags", _TAGS, required=True),
        {
            "derived:/tags:minItems": "server.body.tags",
            "derived:/tags:maxItems": "server.body.tags",
            "derived:/tags:uniqueItems": "server.body.tags",
            "derived:/tags/0:type": "server.body.tags",
            "derived:/tags/0:minLength": "server.body.tags",
        },
    ),
    Edit(
        "nested objects",
        member("owner", _OWNER, required=True),
        {
            OLD: "server.body.owner",
            "derived:/owner/email:format": "server.body.owner",
            "derived:/owner/address/city:required": "server.body.owner",
        },
    ),
    Edit(
        "a map",
        member(
            "labels",
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            required=True,
        ),
        {"derived:/labels:minProperties": "server.body.labels"},
    ),
    Edit(
        "an object that is closed",
        (update(METRICS, {"additionalProperties": False}),),
        {"extra-metrics": "server.body.metrics"},
        (OLD,),
    ),
    Edit(
        "oneOf",
        member("plan", _EITHER, required=True),
        {OLD: "server.body.plan", "derived:/plan:oneOf": "server.body.plan"},
    ),
    Edit(
        "anyOf",
        member("limit", {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}]}, required=True),
        {"derived:/limit:anyOf": "server.body.limit"},
    ),
    Edit(
        "allOf",
        member(
            "code", {"allOf": [{"type": "string"}, {"pattern": "^[A-Z]+$"}, {"maxLength": 4}]}, required=True
        ),
        {"derived:/code:pattern": "server.body.code", "derived:/code:maxLength": "server.body.code"},
    ),
    Edit(
        "not",
        member("name", {"type": "string", "not": {"const": "none"}}, required=True),
        {"derived:/name:not": "server.body.name"},
    ),
    Edit(
        "if and then",
        (
            *member("failure", {"type": "string"}),
            update(
                BATCH,
                {
                    "allOf": [
                        {
                            "if": {"required": ["status"], "properties": {"status": {"const": "FAILED"}}},
                            "then": {"required": ["failure"]},
                        }
                    ]
                },
            ),
        ),
        {OLD: "server.body.failure", "derived:/failure:required": "server.body.failure"},
    ),
    Edit(
        "another media type of batches",
        (
            remove(f"{GET}.responses['200'].content"),
            update(
                f"{GET}.responses['200']",
                {
                    "content": {
                        "application/vnd.sync+json": {"schema": {"$ref": "#/components/schemas/Batch"}}
                    }
                },
            ),
        ),
        {OLD: "server.ok.media-type"},
    ),
    Edit(
        "another media type of errors",
        error_types("application/problem+json", "401", "404", "429", "500"),
        {OLD: "server.error.media-type"},
    ),
    Edit("the key's header renamed", (update(KEY, {"name": "x-sync-key"}),), {OLD: RUN}),
    Edit("the key in the query", (update(KEY, {"in": "query", "name": "api_key"}),), {OLD: RUN}),
    Edit("the path renamed", moved("/v3/batches/{id}"), {OLD: RUN}),
    Edit(
        "a required header",
        parameter("x-org", "header"),
        {"derived:404:status": "server.notfound.unknown-id"},
        (OLD,),
    ),
    Edit(
        "a required query parameter",
        parameter("region", "query", example="eu"),
        {"derived:/id:type": "server.body.id"},
        (OLD,),
    ),
    Edit(
        "no key asked for", (update(GET, {"security": [{}]}),), {"derived:/id:type": "server.body.id"}, (OLD,)
    ),
    Edit("401 struck out", (remove(f"{GET}.responses['401']"),), {OLD: "server.error.documented-status"}),
    Edit(
        "403 for 401",
        (
            remove(f"{GET}.responses['401']"),
            update(
                f"{GET}.responses",
                {
                    "403": {
                        "description": "No.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                    }
                },
            ),
        ),
        {OLD: "server.error.documented-status"},
    ),
    Edit(
        "a rule",
        (
            update(
                BATCH,
                {
                    "x-validations": [
                        {
                            "code": "few-failures",
                            "rule": "self.metrics.failed_count <= 1",
                            "message": "too many failures",
                        }
                    ]
                },
            ),
        ),
        {OLD: "server.rule.few-failures", "derived:/:few-failures": "server.rule.few-failures"},
    ),
    Edit(
        "a transition rule",
        (
            update(
                BATCH,
                {
                    "x-validations": [
                        {
                            "code": "total-fixed",
                            "rule": "self.metrics.total_generations == oldSelf.metrics.total_generations",
                            "message": "the total changed",
                        }
                    ]
                },
            ),
        ),
        {"derived:/:total-fixed": "server.rule.total-fixed"},
        (OLD,),
    ),
    Edit(
        "the error body extended",
        (
            update(
                ERROR,
                {"required": ["traceId"], "properties": {"traceId": {"type": "string", "minLength": 8}}},
            ),
        ),
        {OLD: "server.error.body", "derived:404/traceId:minLength": "server.error.body"},
    ),
    Edit(
        "an error member narrowed",
        (update(f"{ERROR}.properties.statusCode", {"maximum": 403}),),
        {OLD: "server.error.body"},
    ),
    Edit(
        "a required header of answers",
        (
            update(
                f"{GET}.responses['200']",
                {
                    "headers": {
                        "X-Request-Id": {"required": True, "schema": {"type": "string", "format": "uuid"}}
                    }
                },
            ),
        ),
        {OLD: "server.header.x-request-id", "derived:200/X-Request-Id:format": "server.header.x-request-id"},
    ),
]

_LOST = "client.decode."
CLIENT_EDITS = [
    Edit(
        "a required member",
        member("priority", {"type": "integer", "minimum": 1}, required=True),
        {
            OLD: "client.decode.fields",
            "derived:/priority:lost": _LOST,
            "derived:/priority:garbled": _LOST,
            "derived:/priority:type-taken": "client.reject.wrong-types",
            "derived:/priority:required-taken": "client.reject.wrong-types",
        },
    ),
    Edit(
        "an optional member",
        member("label", {"type": "string"}),
        {OLD: "client.decode.fields", "derived:/label:lost": _LOST},
    ),
    Edit(
        "a member removed",
        (remove(f"{BATCH}.properties.webhookUrl"),),
        {"derived:/outputUrl:lost": _LOST},
        (OLD,),
    ),
    Edit(
        "a member renamed",
        (
            remove(f"{BATCH}.properties.created_at"),
            *without("created_at"),
            *member("createdAt", {"type": "string", "format": "date-time"}, required=True),
        ),
        {OLD: _LOST, "derived:/createdAt:offset-dropped": _LOST},
    ),
    Edit(
        "a type changed",
        (
            remove(f"{BATCH}.properties.created_at.format"),
            *retyped(f"{BATCH}.properties.created_at", {"type": "integer"}),
        ),
        {OLD: _LOST, "derived:/created_at:32-bits": _LOST},
    ),
    Edit(
        "null allowed", retyped(f"{BATCH}.properties.outputUrl", {"type": ["string", "null"]}), {OLD: _LOST}
    ),
    Edit(
        "null forbidden",
        retyped(f"{BATCH}.properties.webhookUrl", {"type": "string"}),
        {OLD: "client.reject.wrong-types"},
    ),
    Edit("a required member made optional", without("outputUrl"), {OLD: _LOST}),
    Edit(
        "an optional member made required",
        (update(BATCH, {"required": ["webhookUrl"]}),),
        {OLD: "client.reject.wrong-types"},
    ),
    Edit(
        "an enum widened",
        (update(STATUS, {"enum": ["CANCELED"], "x-lifecycle": {"final": ["CANCELED"]}}),),
        {"derived:/status:refused:CANCELED": "client.decode.status"},
        (OLD,),
    ),
    Edit(
        "an enum narrowed",
        (remove(f"{STATUS}.enum[?@ == 'PROCESSING']"),),
        {"derived:/status:refused:PENDING": "client.decode.status"},
        (OLD,),
    ),
    Edit(
        "an enum of a new member",
        member("tier", {"enum": ["free", "pro"]}, required=True),
        {OLD: "client.decode.fields", "derived:/tier:refused:pro": _LOST},
    ),
    Edit(
        "a date-time",
        member("endedAt", {"type": "string", "format": "date-time"}, required=True),
        {OLD: _LOST, "derived:/endedAt:an-hour-later": _LOST},
    ),
    Edit("a number", member("ratio", {"type": "number"}, required=True), {"derived:/ratio:garbled": _LOST}),
    Edit(
        "a boolean", member("urgent", {"type": "boolean"}, required=True), {"derived:/urgent:garbled": _LOST}
    ),
    Edit(
        "arrays",
        member("tags", _TAGS, required=True),
        {"derived:/tags:garbled": _LOST, "derived:/tags/*:garbled": _LOST},
    ),
    Edit(
        "nested objects",
        member("owner", _OWNER, required=True),
        {OLD: _LOST, "derived:/owner/address/city:lost": _LOST},
    ),
    Edit(
        "a map",
        member("labels", {"type": "object", "additionalProperties": {"type": "integer"}}, required=True),
        {OLD: _LOST, "derived:/labels:null": _LOST},
    ),
    Edit("oneOf", member("plan", _EITHER, required=True), {OLD: _LOST}),
    Edit("the path renamed", moved("/v3/batches/{id}"), {OLD: "client.request.target"}),
    Edit("the key's header renamed", (update(KEY, {"name": "x-sync-key"}),), {OLD: "client.auth.header"}),
    Edit("the key in the query", (update(KEY, {"in": "query", "name": "api_key"}),), {OLD: "client.auth."}),
    Edit("a required header", parameter("x-org", "header"), {OLD: "client.request."}),
    Edit("a required query parameter", parameter("region", "query", example="eu"), {OLD: "client.request."}),
    Edit(
        "the error body extended",
        (update(ERROR, {"required": ["traceId"], "properties": {"traceId": {"type": "string"}}}),),
        {"derived:404:kind": "client.error.404"},
        (OLD,),
    ),
    Edit(
        "401 struck out",
        (remove(f"{GET}.responses['401']"),),
        {"derived:404:kind": "client.error.404"},
        (OLD,),
    ),
    Edit(
        "another error documented",
        (
            update(
                f"{GET}.responses",
                {
                    "409": {
                        "description": "Busy.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                    }
                },
            ),
        ),
        {"derived:409:kind": "client.error."},
        (OLD,),
    ),
]
