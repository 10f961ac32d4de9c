"""Contract edits of List Batches: filters, shape of the response, entries."""

from __future__ import annotations

from typing import Any

from tests.support.edits import OLD, Action, Edit, member, without
from tests.support.overlays import BATCH, GET, LIST, remove, update

_BOTH = ("get", "list")
_CONTENT = f"{LIST}.responses['200'].content"
_BATCHES = {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}}


def _of_list(**keywords: Any) -> tuple[Action, ...]:
    """Update keywords of the list itself."""
    return (update(f"{_CONTENT}['application/json'].schema", keywords),)


def _answering(schema: Any) -> tuple[Action, ...]:
    """Replace the schema of List's response."""
    return (
        remove(f"{_CONTENT}['application/json']"),
        update(_CONTENT, {"application/json": {"schema": schema}}),
    )


def _wrapped(**members: Any) -> tuple[Action, ...]:
    """Put the list into an object, under ``data``."""
    properties = {"data": _BATCHES, **members}
    return _answering({"type": "object", "required": list(properties), "properties": properties})


def _called(name: str, other: str) -> tuple[Action, ...]:
    """Rename a filter."""
    return (update(f"{LIST}.parameters[?@.name=='{name}']", {"name": other}),)


def _without(name: str) -> tuple[Action, ...]:
    return (remove(f"{LIST}.parameters[?@.name=='{name}']"),)


def _with(**parameter: Any) -> tuple[Action, ...]:
    row = {"in": "query", "schema": {"type": "string"}, **parameter}
    return (update(LIST, {"parameters": [row]}),)


def _entry(**more: Any) -> dict[str, Any]:
    """Return the schema of an entry that is looser than Get Batch's, with these members."""
    properties = {
        "id": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "status": {"enum": ["PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED"]},
        **more,
    }
    return {"type": "object", "required": list(properties), "properties": properties}


_SUMMARY, _SHORT = _entry(), _entry(short={"type": "integer", "minimum": 1})
_STATES = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"]
_STATE = {
    "enum": _STATES,
    "x-lifecycle": {"order": ["PENDING", "PROCESSING", ["COMPLETED", "FAILED"]], "final": ["COMPLETED", "FAILED"]},
}
_STATE_FOR_STATUS = (
    remove(f"{BATCH}.properties.status"),
    *without("status"),
    remove(f"{BATCH}.if"),
    remove(f"{BATCH}.then"),
    update(BATCH, {"required": ["state"], "properties": {"state": _STATE}}),
    *_without("status"),
    *_with(name="state", schema={"enum": _STATES}, **{"x-filter": {"member": "/state", "operator": "eq"}}),
)
_ID_RENAMED = (
    remove(f"{BATCH}.properties.id"),
    *without("id"),
    remove(f"{BATCH}['x-identity'][?@ == '/id']"),
    update(BATCH, {"required": ["batch_id"], "properties": {"batch_id": {"type": "string"}}}),
    update(BATCH, {"x-identity": ["/batch_id"]}),
    update(f"{GET}.parameters[0]", {"x-member": "/batch_id"}),
)

#: The statuses composed of several constants instead of one enum.
_CONSTANTS = (
    remove(f"{BATCH}.properties.status.enum"),
    update(
        f"{BATCH}.properties.status",
        {"oneOf": [{"const": one} for one in ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")]},
    ),
)

#: Filters by members of many kinds, with their operators.
_MANY: dict[str, tuple[dict[str, Any], str]] = {
    "tier": ({"type": "integer", "minimum": 1, "maximum": 9}, "eq"),
    "owner": ({"type": "string", "format": "uuid"}, "eq"),
    "code": ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$"}, "eq"),
    "score": ({"type": "number"}, "lt"),
    "due": ({"type": "string", "format": "date"}, "lt"),
    "ended": ({"type": ["string", "null"], "format": "date-time"}, "gt"),
}
_MANY_FILTERS = (
    update(BATCH, {"required": [*_MANY], "properties": {name: schema for name, (schema, _) in _MANY.items()}}),
    *(
        action
        for name, (schema, operator) in _MANY.items()
        for action in _with(
            name=f"by_{name}",
            schema={**schema, **({"type": "string"} if name == "ended" else {})},
            **{"x-filter": {"member": f"/{name}", "operator": operator}},
        )
    ),
)

LIST_SERVER_EDITS = [
    Edit(
        "filters beside those that do the same",
        (
            *_with(
                name="since",
                schema={"type": "string", "format": "date-time"},
                **{"x-filter": {"member": "/created_at", "operator": "gt"}},
            ),
            *_with(name="state", **{"x-filter": {"member": "/status", "operator": "eq"}}),
        ),
        {
            "list-after-ignored": "server.list.created-after",
            "list-status-ignored": "server.list.status",
            "derived:list/since:filter": "server.list.by-since",
            "derived:list/state:filter": "server.list.by-state",
        },
    ),
    Edit(
        "a filter of fewer statuses, beside another one",
        (
            remove(f"{LIST}.parameters[?@.name=='status'].schema"),
            update(f"{LIST}.parameters[?@.name=='status']", {"schema": {"enum": ["COMPLETED", "FAILED"]}}),
            *member("team", {"type": "string"}, required=True),
            *_with(name="team", **{"x-filter": {"member": "/team", "operator": "eq"}}),
        ),
        {"derived:list/team:filter": "server.list.by-team"},
    ),
    Edit(
        "many filters added",
        _MANY_FILTERS,
        {
            **{
                f"derived:list/by_{name}:{fault}": f"server.list.by-by_{name}"
                for name in _MANY
                for fault in ("nothing", "filter")
            },
            "derived:list/by_due:beside": "server.list.together",
            "list-after-ignored": "server.list.created-after",
            "list-status-first-only": "server.list.status",
        },
        operations=_BOTH,
    ),
    Edit("statuses as constants", _CONSTANTS, {"list-status-ignored": "server.list.status"}, (OLD,), _BOTH),
    Edit(
        "a key asked for, and no refusal documented",
        (remove(f"{LIST}.responses['401']"),),
        {"derived:/id:required": "server.body."},
        (OLD,),
    ),
    Edit(
        "a list of at most two",
        _of_list(maxItems=2),
        {OLD: "server.list.array", "derived:list:maxItems": "server.list.array"},
        operations=_BOTH,
    ),
    Edit(
        "a rule about the list that the sample breaks",
        _of_list(**{"x-validations": [{"rule": "size(self) <= 4", "code": "few", "message": "too many batches"}]}),
        {OLD: "server.rule.few", "derived:list:few": "server.rule.few"},
        operations=_BOTH,
    ),
    Edit(
        "a list of at least two",
        _of_list(minItems=2),
        {"derived:list:minItems": "server.list.array"},
        (OLD,),
        _BOTH,
    ),
    Edit(
        "a list without repetitions",
        _of_list(uniqueItems=True),
        {"list-newest-twice": "server.list.array", "derived:list:uniqueItems": "server.list.array"},
        (OLD,),
        _BOTH,
    ),
    Edit(
        "a list that contains a certain batch",
        _of_list(contains={"required": ["status"], "properties": {"status": {"const": "FAILED"}}}, maxContains=4),
        {
            "list-without-failed": "server.list.array",
            "derived:list:contains": "server.list.array",
            "derived:list:maxContains": "server.list.array",
        },
        (OLD,),
        _BOTH,
    ),
    Edit(
        "a filter renamed",
        _called("created_after", "since"),
        {OLD: "server.list.created-after", "list-after-ignored": "server.list.created-after"},
        operations=_BOTH,
    ),
    Edit(
        "a filter removed",
        _without("created_before"),
        {"list-after-ignored": "server.list.created-after"},
        (OLD, "list-before-ignored"),
        _BOTH,
    ),
    Edit(
        "a filter added that nothing is said of",
        _with(name="project"),
        {"list-status-ignored": "server.list.status"},
        (OLD,),
        _BOTH,
    ),
    Edit(
        "a status and its filter renamed",
        _STATE_FOR_STATUS,
        {"list-status-ignored": "server.list.status", "list-status-first-only": "server.list.status"},
    ),
    Edit(
        "a required query parameter of the list",
        _with(name="project", required=True, example="p1"),
        {"list-status-ignored": "server.list.status", "list-after-ignored": "server.list.created-after"},
        (OLD,),
        _BOTH,
    ),
    Edit(
        "a list within an object",
        _wrapped(total={"type": "integer", "minimum": 0}),
        {
            OLD: "server.list.array",
            "derived:list/total:type": "server.list.array",
            "derived:list/total:required": "server.list.array",
            "list-entries-without-metrics": "server.body.metrics",
            "list-status-ignored": "server.list.status",
            "list-newest-twice": "server.list.once",
        },
        operations=_BOTH,
    ),
    Edit(
        "entries that are smaller",
        _answering({"type": "array", "items": _SUMMARY}),
        {
            "list-entries-date-only": "server.body.created_at",
            "list-status-behind": "server.list.agrees",
            "list-status-ignored": "server.list.status",
        },
        (OLD,),
        _BOTH,
    ),
    Edit(
        "entries with a member of their own",
        _answering({"type": "array", "items": _SHORT}),
        {OLD: "server.body.short", "list-status-behind": "server.list.agrees"},
        operations=_BOTH,
    ),
    Edit(
        "the id renamed",
        _ID_RENAMED,
        {
            "list-newest-twice": "server.list.once",
            "list-of-five": "server.list.complete",
            "list-counts-behind": "server.list.agrees",
        },
    ),
]

LIST_CLIENT_EDITS = [
    Edit(
        "a filter added that no caller gives",
        _with(
            name="limit",
            schema={"type": "integer"},
            **{"x-filter": {"member": "/metrics/total_generations", "operator": "lt"}},
        ),
        {"list-with-limit": "client.list.nothing-more"},
        (OLD,),
    ),
    Edit("statuses as constants", _CONSTANTS, {"list-status-forgotten": "client.list.query"}, (OLD,)),
    Edit(
        "a list of at most two",
        _of_list(maxItems=2),
        {"list-without-last": "client.list.entries"},
        (OLD, "list-first-hundred"),
    ),
    Edit(
        "a filter renamed",
        _called("created_after", "since"),
        {OLD: "client.list.query", "list-one-filter-only": "client.list.query"},
    ),
    Edit(
        "a filter removed",
        _without("created_before"),
        {"list-status-in-lower-case": "client.list.query"},
        (OLD,),
    ),
    Edit(
        "a filter added that nothing is said of",
        _with(name="project"),
        {"list-status-forgotten": "client.list.query", "list-with-limit": "client.list.nothing-more"},
        (OLD,),
    ),
    Edit(
        "a status and its filter renamed",
        _STATE_FOR_STATUS,
        {OLD: "client.list.query", "list-status-in-lower-case": "client.list.query"},
    ),
    Edit(
        "a required query parameter of the list",
        _with(name="project", required=True, example="p1"),
        {OLD: "client.list.target"},
    ),
    Edit(
        "a list within an object",
        _wrapped(),
        {OLD: "client.list.entries", "list-without-last": "client.list.entries", "list-reversed": "client.list.order"},
        ("list-dates-in-utc",),
    ),
    Edit(
        "entries that are smaller",
        _answering({"type": "array", "items": _SUMMARY}),
        {OLD: "client.list.entries", "list-without-last": "client.list.entries"},
    ),
    Edit(
        "entries with a member of their own",
        _answering({"type": "array", "items": _SHORT}),
        {OLD: "client.decode.fields"},
        ("list-dates-in-utc",),
    ),
]
