"""Contract edits for testing servers."""

from __future__ import annotations

from tests.support.edits import (
    ANY_ERROR,
    BEARER,
    EITHER,
    ERROR,
    GONE_FOR_ABSENT,
    KEY,
    LIST_REMOVED,
    METRICS,
    OLD,
    OWNER,
    RUN,
    STATUS,
    TAGS,
    Edit,
    error_types,
    member,
    moved,
    parameter,
    retyped,
    status_renamed,
    success_as,
    without,
)
from tests.support.overlays import BATCH, GET, remove, update

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
        member("tags", TAGS, required=True),
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
        member("owner", OWNER, required=True),
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
        "a member removed, and the object closed",
        (remove(f"{BATCH}.properties.webhookUrl"), update(BATCH, {"additionalProperties": False})),
        {OLD: "server.body.others"},
    ),
    Edit(
        "oneOf",
        member("plan", EITHER, required=True),
        {OLD: "server.body.plan", "derived:/plan:oneOf": "server.body.plan"},
    ),
    Edit(
        "anyOf",
        member("limit", {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}]}, required=True),
        {"derived:/limit:anyOf": "server.body.limit"},
    ),
    Edit(
        "allOf",
        member("code", {"allOf": [{"type": "string"}, {"pattern": "^[A-Z]+$"}, {"maxLength": 4}]}, required=True),
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
                {"content": {"application/vnd.sync+json": {"schema": {"$ref": "#/components/schemas/Batch"}}}},
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
        "no key asked for",
        (update(GET, {"security": [{}]}),),
        {OLD: "server.ok.status", "derived:/id:type": "server.body.id"},
    ),
    Edit("the status renamed", status_renamed("state"), {OLD: "server.body.state"}),
    Edit("List Batches removed", LIST_REMOVED, {"derived:/id:type": "server.body.id"}, (OLD,)),
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
        "an error member made required, of a form",
        (update(ERROR, {"required": ["errorCode"], "properties": {"errorCode": {"pattern": "^[a-z_]+$"}}}),),
        {OLD: "server.error.body", "derived:404/errorCode:pattern": "server.error.body"},
    ),
    Edit(
        "a required header of answers",
        (
            update(
                f"{GET}.responses['200']",
                {"headers": {"X-Request-Id": {"required": True, "schema": {"type": "string", "format": "uuid"}}}},
            ),
        ),
        {OLD: "server.header.x-request-id", "derived:200/X-Request-Id:format": "server.header.x-request-id"},
    ),
    Edit("another success status", success_as("202"), {OLD: RUN}),
    Edit("a second success status", success_as("202", beside=True), {"derived:/id:required": "server.body."}, (OLD,)),
    Edit("a bearer key", BEARER, {OLD: RUN}),
    Edit("410 in place of 404", GONE_FOR_ABSENT, {OLD: "server."}),
    Edit(
        "410 and a default in place of 404",
        (*GONE_FOR_ABSENT, ANY_ERROR),
        {"unknown-empty-200": "server.notfound."},
        (OLD,),
    ),
    Edit("no key at all", (remove("$.security"),), {"derived:/id:required": "server.body."}),
]
