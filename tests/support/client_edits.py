"""Contract edits for testing clients."""

from __future__ import annotations

from tests.support.edits import (
    BEARER,
    EITHER,
    ERROR,
    KEY,
    LIST_REMOVED,
    METRICS,
    OLD,
    OWNER,
    SHOT,
    STATUS,
    TAGS,
    Edit,
    member,
    moved,
    parameter,
    retyped,
    status_renamed,
    success_as,
    without,
)
from tests.support.overlays import BATCH, GET, remove, update

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
    Edit("null allowed", retyped(f"{BATCH}.properties.outputUrl", {"type": ["string", "null"]}), {OLD: _LOST}),
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
    Edit("a boolean", member("urgent", {"type": "boolean"}, required=True), {"derived:/urgent:garbled": _LOST}),
    Edit(
        "arrays",
        member("tags", TAGS, required=True),
        {"derived:/tags:garbled": _LOST, "derived:/tags/*:garbled": _LOST},
    ),
    Edit(
        "nested objects",
        member("owner", OWNER, required=True),
        {OLD: _LOST, "derived:/owner/address/city:lost": _LOST},
    ),
    Edit(
        "a map",
        member("labels", {"type": "object", "additionalProperties": {"type": "integer"}}, required=True),
        {OLD: _LOST, "derived:/labels:null": _LOST},
    ),
    Edit(
        "items with a rule of their own",
        member("shots", {"type": "array", "items": SHOT}, required=True),
        {"derived:/shots:first-only": _LOST, "derived:/shots:backwards": _LOST},
    ),
    Edit(
        "null in place of members that rules name",
        (
            remove(f"{BATCH}.properties.metrics"),
            update(
                f"{BATCH}.properties",
                {"metrics": {"anyOf": [{"$ref": "#/components/schemas/Metrics"}, {"type": "null"}]}},
            ),
        ),
        {"derived:/metrics:refused:null": "client.decode.optional"},
    ),
    Edit("oneOf", member("plan", EITHER, required=True), {OLD: _LOST}),
    Edit(
        "the status renamed",
        status_renamed("state"),
        {OLD: _LOST, "derived:/state:lost": _LOST, "derived:/state:garbled": "client.decode.status"},
    ),
    Edit(
        "a member of an object removed",
        (remove(f"{METRICS}.properties.pending_count"), remove(f"{METRICS}.required[?@ == 'pending_count']")),
        {OLD: _LOST},
    ),
    Edit("List Batches removed", LIST_REMOVED, {"derived:404:kind": "client.error.404"}, (OLD,)),
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
    Edit("another success status", success_as("202"), {OLD: "client.decode."}),
    Edit("a second success status", success_as("202", beside=True), {OLD: "client.decode.fields"}),
    Edit("a bearer key", BEARER, {OLD: "client.auth.header"}),
    Edit(
        "the id renamed, and what says so moved along",
        (
            remove(f"{BATCH}.properties.id"),
            *without("id"),
            remove(f"{BATCH}['x-identity'][?@ == '/id']"),
            *member("batch_id", {"type": "string"}, required=True),
            update(BATCH, {"x-identity": ["/batch_id"]}),
            update(f"{GET}.parameters[0]", {"x-member": "/batch_id"}),
        ),
        {OLD: "client.decode."},
    ),
]
