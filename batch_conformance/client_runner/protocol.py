"""Messages of the driver protocol, version 1: building, parsing and validation in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from jsonschema import Draft202012Validator

from batch_conformance.checks.by_operation import JUDGED
from batch_conformance.client_runner.call import Call, Hello, NoObject, Reply, ReportedError, Several
from batch_conformance.contract import load_contract
from batch_conformance.http import read_json

PROTOCOL = 1
#: Maximum bytes quoted of an invalid line; the quote is redacted and shortened before it is shown.
EXCERPT_BYTES = 4000


class ProtocolViolation(Exception):
    """The client broke the protocol, crashed or hung. The message is a predicate: "answered seq 7 …"."""


def hello_request(seq: int) -> dict[str, Any]:
    """Return the first message to a driver."""
    return _outgoing("hello_request", {"seq": seq, "op": "hello", "protocol": PROTOCOL})


def call_request(seq: int, call: Call) -> dict[str, Any]:
    """Return the message of a call of any operation. Raises ``ValueError`` if it would break the protocol."""
    op = JUDGED[call.operation]
    kind = f"{op}_request"
    request = {"seq": seq, "op": op, "base_url": call.base_url, "api_key": call.api_key}
    if "batch_id" in _definition(kind)["properties"]:
        request["batch_id"] = call.batch_id
    return _outgoing(kind, {**request, "timeout_s": call.timeout_s, **dict(call.arguments)})


def bye_request(seq: int) -> dict[str, Any]:
    """Return the last message to a driver."""
    return _outgoing("bye_request", {"seq": seq, "op": "bye"})


def encode(message: Mapping[str, Any]) -> bytes:
    """Encode a message as one line, in ASCII so that any string passes, lone surrogates too."""
    return json.dumps(message, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


def decode(line: bytes) -> object:
    """Decode one line as JSON. Raises :class:`ProtocolViolation`."""
    text = read_json(line)
    if text.error is not None:
        raise ProtocolViolation(f"wrote a line to stdout that is not JSON ({text.error.message}): {excerpt(line)}")
    return text.value


def excerpt(data: bytes) -> str:
    """Quote bytes for a message."""
    return repr(data[:EXCERPT_BYTES].decode("utf-8", "replace")) if data else "nothing"


def hello_from(value: object, seq: int) -> Hello:
    """Return the hello object of a reply to ``hello``. Raises :class:`ProtocolViolation`."""
    if isinstance(value, dict) and "hello" not in value and isinstance(value.get("error"), dict):
        raise ProtocolViolation(f"answered hello with an error: {value['error'].get('message')}")
    _check_protocol(value.get("hello") if isinstance(value, dict) else None)
    _incoming("hello_reply", value, seq)
    assert isinstance(value, dict)
    return _hello(value["hello"])


def hello_object(value: object) -> Hello:
    """Return the hello object of an in-process client. Raises :class:`ProtocolViolation`."""
    _check_protocol(value)
    problem = _problem("hello", value)
    if problem:
        raise ProtocolViolation(f"has a hello that breaks the protocol: {problem}")
    assert isinstance(value, dict)
    return _hello(value)


def reply_from(value: object, seq: int, operation: str) -> Reply:
    """Return the reply in a message with sequence number ``seq``. Raises :class:`ProtocolViolation`."""
    kind = f"{JUDGED[operation]}_reply"
    member = _success_of(kind)
    value = _without_idle_null(value, member)
    _incoming(kind, value, seq)
    assert isinstance(value, dict)
    if member in value:
        decoded = value[member]
        if member != "batch":
            return Reply(batch=Several(decoded))
        return Reply(batch=decoded if isinstance(decoded, dict) else NoObject(decoded))
    error = value["error"]
    status = error.get("status")
    return Reply(
        error=ReportedError(error["kind"], None if status is None else int(status), error["message"]),
    )


@cache
def _success_of(kind: str) -> str:
    """Return the member of a reply that holds what the client handed to its caller."""
    names: list[str] = [name for name in _definition(kind)["properties"] if name not in ("seq", "error")]
    return names[0]


def _without_idle_null(value: object, success: str) -> object:
    """Drop a null ``error`` beside a batch, or a null batch beside an error, as records in some languages have it."""
    if isinstance(value, dict) and {success, "error"} <= value.keys():
        for idle, member in (("error", success), (success, "error")):
            if value[idle] is None and value[member] is not None:
                return {name: item for name, item in value.items() if name != idle}
    return value


def _hello(value: Mapping[str, Any]) -> Hello:
    operations = tuple(value["operations"])
    if not set(JUDGED.values()) & set(operations):
        offered = ", ".join(operations) or "nothing"
        known = " or ".join(JUDGED.values())
        raise ProtocolViolation(f"does not offer the operation {known} (it offers: {offered})")
    return Hello(value["name"], value["version"], value["language"], operations)


def _check_protocol(hello: object) -> None:
    # Before the schema check: another version may have another schema, and this message is clearer.
    if isinstance(hello, dict) and "protocol" in hello and hello["protocol"] != PROTOCOL:
        raise ProtocolViolation(f"speaks protocol {hello['protocol']!r}, this suite speaks {PROTOCOL}")


def _outgoing(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    problem = _problem(kind, message)
    if problem:
        raise ValueError(f"the suite made a wrong {kind.replace('_', ' ')}: {problem}")
    return message


def _incoming(kind: str, value: object, seq: int) -> None:
    problem = _problem(kind, value)
    if problem:
        raise ProtocolViolation(f"sent a reply that breaks the protocol: {problem}")
    if isinstance(value, dict) and value["seq"] != seq:
        raise ProtocolViolation(f"answered seq {value['seq']} where seq {seq} was asked")


def _definitions() -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = load_contract().schemas["driver"]["$defs"]
    return definitions


def _definition(kind: str) -> Mapping[str, Any]:
    """Return the schema of a message. Another operation on one batch is called and answered as Get Batch is."""
    definitions = _definitions()
    if kind in definitions:
        return cast("Mapping[str, Any]", definitions[kind])
    op, _, direction = kind.rpartition("_")
    like: Mapping[str, Any] = definitions[f"{JUDGED[Call.operation]}_{direction}"]
    named = {"op": {"const": op}} if "op" in like["properties"] else {}
    return {**like, "properties": {**like["properties"], **named}}


@cache
def _validator(kind: str) -> Draft202012Validator:
    # Without a $ref at the root: resolving it costs more than the validation.
    return Draft202012Validator({**_definition(kind), "$defs": _definitions()})


def _problem(kind: str, value: object) -> str:
    """Describe the first schema error of a message, without long quotes; empty when it conforms."""
    errors = list(_validator(kind).iter_errors(value))
    if not errors:
        return ""
    error = min(errors, key=lambda error: (error.validator == "oneOf", len(error.absolute_path)))
    place = ".".join(str(part) for part in error.absolute_path) or "the message"
    describe = _DESCRIPTIONS.get(str(error.validator))
    if describe is None:
        return f"{place} breaks the rule {error.validator}"
    return f"{place} {describe(error.validator_value, error.instance)}"


def _wrong_type(wanted: Any, value: Any) -> str:
    names = wanted if isinstance(wanted, str) else " or ".join(wanted)
    return f"must be {names}, not {_json_type(value)}"


def _json_type(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    types = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return next(name for kind, name in types.items() if isinstance(value, kind))


#: Description of an error by JSON Schema keyword, made from the keyword's value and the instance.
_DESCRIPTIONS: dict[str, Callable[[Any, Any], str]] = {
    "type": _wrong_type,
    "required": lambda names, value: f"lacks {', '.join(name for name in names if name not in value)}",
    "enum": lambda allowed, value: f"is {value!r}, not one of {', '.join(allowed)}",
    "const": lambda wanted, value: f"is {value!r}, not {wanted!r}",
    "oneOf": lambda _, __: "must hold either batch (batches for a list) or error",
    "minLength": lambda _, __: "must not be empty",
    "minimum": lambda least, _: f"must be at least {least}",
    "exclusiveMinimum": lambda bound, _: f"must be above {bound}",
}
