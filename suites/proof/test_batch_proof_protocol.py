"""The driver protocol's schema: what it lets pass in either direction, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator


def test_every_message_conforms_to_the_schema() -> None:
    """The examples of the interface are valid, and the schema is itself a valid one."""
    schema = json.loads((Path(__file__).parents[2] / "schemas" / "driver.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    hello = {
        "protocol": 1,
        "name": "n",
        "version": "1",
        "language": "x",
        "operations": ["get_batch"],
        "more": 1,
    }
    ask = {"op": "get_batch", "base_url": "http://h", "api_key": "", "batch_id": "", "timeout_s": 5}
    good: list[dict[str, object]] = [
        {"seq": 0, "op": "hello", "protocol": 1},
        {"seq": 0, "hello": hello},
        {"seq": 1, **ask},
        {"seq": 1, "batch": {"id": 7, "metrics": None}},
        {"seq": 1, "error": {"kind": "not_found", "status": 404, "message": "m"}, "took": 3},
        {"seq": 1, "error": {"kind": "transport", "status": None, "message": ""}},
        {"seq": 2, "op": "bye"},
    ]
    assert [message for message in good if not validator.is_valid(message)] == []
    bad: list[dict[str, object]] = [
        {"seq": 1, **ask, "case": "client.fault.reset"},
        {"seq": 1, "batch": None},
        {"seq": 1, "batch": []},
        {"seq": 1, "error": {"kind": "not_found"}},
        {"seq": "1", "batch": {}},
        {"seq": True, "batch": {}},
        {"batch": {}},
        {"seq": 1},
    ]
    assert [message for message in bad if validator.is_valid(message)] == []
