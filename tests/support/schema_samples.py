"""Schemas of many kinds, none of the API under test, since what is derived from schemas must work for all."""

from __future__ import annotations

from typing import Any

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["number", "lines", "total", "placed"],
    "properties": {
        "number": {"type": "string", "pattern": "^O-[0-9]{4,8}$"},
        "placed": {"type": "string", "format": "date-time"},
        "due": {"type": ["string", "null"], "format": "date"},
        "total": {"type": "number", "minimum": 0, "multipleOf": 0.01},
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": 5,
            "uniqueItems": True,
            "items": {"$ref": "#/components/schemas/Line"},
        },
        "state": {"type": "string", "enum": ["open", "paid", "sent"]},
        "paid": {"type": "string", "format": "date-time"},
    },
    "dependentRequired": {"paid": ["state"]},
}
LINE: dict[str, Any] = {
    "type": "object",
    "required": ["sku", "count"],
    "properties": {
        "sku": {"type": "string", "minLength": 3, "maxLength": 10},
        "count": {"type": "integer", "exclusiveMinimum": 0, "maximum": 99},
        "note": {"type": "string"},
    },
    "additionalProperties": False,
}
SHAPES: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "required": ["kind", "radius"],
            "properties": {"kind": {"const": "circle"}, "radius": {"type": "number", "exclusiveMinimum": 0}},
        },
        {
            "type": "object",
            "required": ["kind", "width", "height"],
            "properties": {
                "kind": {"const": "box"},
                "width": {"type": "integer", "minimum": 1},
                "height": {"type": "integer", "minimum": 1},
            },
        },
    ]
}
PET: dict[str, Any] = {
    "allOf": [
        {"$ref": "#/components/schemas/Named"},
        {
            "type": "object",
            "required": ["age"],
            "properties": {
                "age": {"type": "integer", "minimum": 0, "maximum": 40},
                "chip": {"format": "uuid", "type": "string"},
            },
        },
    ],
    "unevaluatedProperties": False,
}
NAMED: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 40},
        "owner": {"type": "string", "format": "email"},
    },
}
DELIVERY: dict[str, Any] = {
    "type": "object",
    "required": ["method"],
    "properties": {
        "method": {"enum": ["post", "pickup", "courier"]},
        "address": {"type": "string", "minLength": 1},
        "shop": {"type": "integer"},
        "phone": {"type": "string", "pattern": "^\\+\\d{5,15}$"},
    },
    "if": {"properties": {"method": {"const": "pickup"}}, "required": ["method"]},
    "then": {"required": ["shop"]},
    "else": {"required": ["address"]},
    "allOf": [
        {
            "if": {"properties": {"method": {"const": "courier"}}, "required": ["method"]},
            "then": {"required": ["phone"], "properties": {"address": {"minLength": 10}}},
        }
    ],
}
TREE: dict[str, Any] = {
    "type": "object",
    "required": ["label", "children"],
    "properties": {
        "label": {"type": "string"},
        "weight": {"type": ["number", "null"], "minimum": -1, "maximum": 1},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "maxItems": 3},
    },
}
MAPS: dict[str, Any] = {
    "type": "object",
    "required": ["scores", "limits"],
    "properties": {
        "scores": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 3,
            "propertyNames": {"pattern": "^[a-z_0-9]+$"},
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 10},
        },
        "limits": {
            "type": "object",
            "patternProperties": {"^max_": {"type": "number"}, "^is_": {"type": "boolean"}},
            "additionalProperties": False,
        },
        "size": {"type": "integer", "format": "int32"},
        "position": {
            "type": "array",
            "prefixItems": [{"type": "number", "minimum": -90, "maximum": 90}, {"type": "number"}],
            "items": False,
            "minItems": 2,
        },
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "contains": {"const": "main"},
            "maxContains": 1,
        },
        "value": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "integer", "maximum": 9}, {"type": "null"}]},
        "link": {"type": "string", "format": "uri"},
        "code": {"type": "string", "not": {"const": "text"}, "minLength": 1},
    },
}

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Order": ORDER,
            "Line": LINE,
            "Shapes": SHAPES,
            "Pet": PET,
            "Named": NAMED,
            "Delivery": DELIVERY,
            "Tree": TREE,
            "Maps": MAPS,
        }
    }
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]

#: A schema with rules at two depths, rules about two reads, and a lifecycle.
TRIP: dict[str, Any] = {
    "type": "object",
    "required": ["id", "state", "legs", "started", "fare"],
    "properties": {
        "id": {"type": "string"},
        "state": {
            "type": "string",
            "enum": ["planned", "booked", "waiting", "done", "cancelled"],
            "x-lifecycle": {"order": ["planned", ["booked", "waiting"]], "final": ["done", "cancelled"]},
        },
        "legs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Leg"}},
        "started": {"type": "string", "format": "date-time"},
        "ended": {"type": ["string", "null"], "format": "date-time"},
        "fare": {"type": "number", "minimum": 0},
        "seats": {"type": "integer", "minimum": 0},
        "taken": {"type": "integer", "minimum": 0},
    },
    "x-validations": [
        {
            "rule": "!has(self.ended) || self.ended == null || timestamp(self.ended) >= timestamp(self.started)",
            "message": "a trip ends before it starts",
            "code": "order",
        },
        {
            "rule": "!has(self.taken) || (has(self.seats) && self.taken <= self.seats)",
            "message": "more seats taken than there are",
            "code": "seats",
        },
        {
            "rule": "self.state != 'done' || (has(self.ended) && self.ended != null)",
            "message": "done, but not ended",
            "code": "done",
        },
        {"rule": "self.id == oldSelf.id", "message": "another trip", "code": "identity"},
        {
            "rule": "self.fare >= oldSelf.fare",
            "messageExpression": "'the fare fell from ' + string(oldSelf.fare) + ' to ' + string(self.fare)",
            "code": "fare",
        },
    ],
    "$defs": {},
}
LEG: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to", "km"],
    "properties": {
        "from": {"type": "string"},
        "to": {"type": "string"},
        "km": {"type": "number", "exclusiveMinimum": 0},
    },
    "x-validations": [{"rule": "self.from != self.to", "message": "a leg goes nowhere", "code": "nowhere"}],
}
TRIPS: dict[str, Any] = {"$defs": {"Trip": TRIP, "Leg": LEG}}
del TRIP["$defs"]
A_TRIP: dict[str, Any] = {
    "id": "t1",
    "state": "done",
    "legs": [{"from": "A", "to": "B", "km": 12.5}, {"from": "B", "to": "C", "km": 3}],
    "started": "2024-01-15T10:30:00Z",
    "ended": "2024-01-15T12:30:00+01:00",
    "fare": 9.5,
    "seats": 4,
    "taken": 2,
}
