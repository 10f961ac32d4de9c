"""The driver protocol's schema: messages that it accepts and refuses, in both directions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from batch_conformance.client_runner.protocol import reply_from


def test_every_message_conforms_to_the_schema() -> None:
    """The examples are valid, and so is the schema itself."""
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
        {"seq": 1, "batch": None},
        {"seq": 1, "batch": []},
        {"seq": 1, "error": {"kind": "not_found", "status": 404, "message": "m"}, "took": 3},
        {"seq": 1, "error": {"kind": "transport", "status": None, "message": ""}},
        {"seq": 2, "op": "bye"},
    ]
    assert [message for message in good if not validator.is_valid(message)] == []
    bad: list[dict[str, object]] = [
        {"seq": 1, **ask, "case": "client.fault.reset"},
        {"seq": 1, "error": {"kind": "not_found"}},
        {"seq": "1", "batch": {}},
        {"seq": True, "batch": {}},
        {"batch": {}},
        {"seq": 1},
    ]
    assert [message for message in bad if validator.is_valid(message)] == []


@pytest.mark.parametrize("reported", [None, [1], "batch", 7, False])
def test_a_batch_that_is_no_object_is_kept_as_it_is(reported: object) -> None:
    """A client may return any value as a batch: that is its reply, and does not break the protocol."""
    reply = reply_from({"seq": 1, "batch": reported}, 1, "get")
    assert (reply.batch, repr(reply.batch)) == ({}, json.dumps(reported))


def test_a_null_in_the_member_that_does_not_apply_is_ignored() -> None:
    """Drivers that use records send all their members."""
    error = {"kind": "not_found", "status": 404, "message": "m"}
    assert reply_from({"seq": 1, "batch": {"id": "a"}, "error": None}, 1, "get").batch == {"id": "a"}
    assert reply_from({"seq": 1, "batch": None, "error": error}, 1, "get").error is not None
