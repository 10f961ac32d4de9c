"""Contract edits as data: the actions, and the subjects that must be red or green under the edited contract.

``old`` is the reference server or client of the unedited contract, in a process of its own; ``derived:…`` is a mutant
of the edited contract. The embedded subject conforms to each of these contracts.
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
SHOT = {
    "type": "object",
    "required": ["start", "end"],
    "properties": {"start": {"type": "number"}, "end": {"type": "number"}},
    "x-validations": [{"code": "shot-order", "rule": "self.start < self.end", "message": "it ends before it starts"}],
}
OLD, RUN = "old", "the run"


@dataclass(frozen=True)
class Edit:
    """One contract edit. ``red`` maps each subject to the clause that it breaks (``RUN``: it cannot be tested at all).

    A clause that ends with a dot stands for all ids that begin with it. ``green`` are subjects that stay green besides
    the embedded one. ``operations`` are those that the old server is tested on.
    """

    name: str
    actions: tuple[Action, ...]
    red: Mapping[str, str] = field(default_factory=dict)
    green: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("get",)


def member(name: str, schema: Any, *, required: bool = False) -> tuple[Action, ...]:
    """Add a member to the batch."""
    rows = [update(f"{BATCH}.properties", {name: schema})]
    return (*rows, update(BATCH, {"required": [name]})) if required else tuple(rows)


def without(*names: str) -> tuple[Action, ...]:
    """Make members optional."""
    return tuple(remove(f"{BATCH}.required[?@ == '{name}']") for name in names)


def retyped(target: str, schema: Any) -> tuple[Action, ...]:
    """Change the type of a place; the old keywords are removed first, since an update appends to arrays."""
    return (remove(f"{target}.type"), update(target, schema))


def parameter(name: str, place: str, **more: Any) -> tuple[Action, ...]:
    """Add a required parameter."""
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
    """Change the media type of errors."""
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
    """Move Get Batch to another path."""
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


def success_as(status: str, *, beside: bool = False) -> tuple[Action, ...]:
    """Change the success status of Get Batch; ``beside`` keeps 200 documented too."""
    batch = {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}
    added = update(f"{GET}.responses", {status: {"description": "The batch.", "content": batch}})
    return (added,) if beside else (remove(f"{GET}.responses['200']"), added)


#: The key as a bearer token.
BEARER = (remove(KEY), update("$.components.securitySchemes", {"apiKey": {"type": "http", "scheme": "bearer"}}))
GONE_FOR_ABSENT = (
    remove(f"{GET}.responses['404']"),
    update(
        f"{GET}.responses",
        {
            "410": {
                "description": "No such batch.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }
        },
    ),
)

_ERROR_BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
#: The documented error for all statuses without one of their own.
ANY_ERROR = update(f"{GET}.responses", {"default": {"description": "Any other error.", "content": _ERROR_BODY}})


def status_renamed(name: str) -> tuple[Action, ...]:
    """Rename the member of the status, in the conditions too."""
    values = ["PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED"]
    cycle = {"order": values, "final": values[3:], "frozen": ["/metrics"]}
    condition = {"required": [name], "properties": {name: {"const": "COMPLETED"}}}
    return (
        remove(f"{BATCH}.properties.status"),
        *without("status"),
        remove(f"{BATCH}.if.*"),
        update(f"{BATCH}.if", condition),
        *member(name, {"enum": values, "x-lifecycle": cycle}, required=True),
    )


#: Get Batch alone is tested.
LIST_REMOVED = (remove("$.paths['/v2/batch']"),)
TAGS = {
    "type": "array",
    "items": {"type": "string", "minLength": 2},
    "minItems": 1,
    "maxItems": 3,
    "uniqueItems": True,
}
OWNER = {
    "type": "object",
    "required": ["email", "address"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
    },
}
EITHER = {
    "oneOf": [
        {"type": "string", "minLength": 3},
        {"type": "object", "required": ["level"], "properties": {"level": {"type": "integer", "minimum": 0}}},
    ]
}
