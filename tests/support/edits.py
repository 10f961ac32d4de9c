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
    embedded one. ``operations`` are those that the old server is judged by.
    """

    name: str
    actions: tuple[Action, ...]
    red: Mapping[str, str] = field(default_factory=dict)
    green: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("get",)


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


def success_as(status: str, *, beside: bool = False) -> tuple[Action, ...]:
    """Get Batch answers with another success status; ``beside`` 200, which stays documented."""
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
