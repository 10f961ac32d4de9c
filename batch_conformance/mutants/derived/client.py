"""Single-fault clients derived from the current contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from batch_conformance.client_runner.cases.derived import SEVERAL, unmade_values
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.cel_values import beside
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import MISSING, expand, matches, read, replaced
from batch_conformance.contract.references import Schema, types_of
from batch_conformance.contract.schema import Violation
from batch_conformance.mutants.client.base import Faulty, adapter_of
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.reference.client import Adapter, Answer, Batch, BatchError

ClientFault = Derived[Adapter]
Found = Iterator[ClientFault | Unprovable]

_DECODE, _REJECT = "client.decode.", "client.reject."
_FIELDS = (_DECODE + "fields",)
_DATES = "client.decode.created_at"
_OPTIONAL = (_DECODE + "optional", *_FIELDS)
_TYPES = ("client.reject.wrong-types",)
_LARGEST_OF_32_BITS = 2**31 - 1


@cached_by_contract
def client_faults() -> tuple[dict[str, ClientFault], tuple[Unprovable, ...]]:
    """Return the mutants by name, and the places without one."""
    found: list[ClientFault | Unprovable] = []
    for operation in current_contract().operations.values():
        if operation.id_parameter:
            names = Names(operation.name)
            for kind in (_in_members, _in_refusals, _in_requests, _in_errors):
                found += kind(entity_of(operation), names)
    mutants = {one.name: one for one in found if isinstance(one, Derived)}
    return mutants, tuple(one for one in found if isinstance(one, Unprovable))


def _client(name: str, **steps: Any) -> Adapter:
    """Return an adapter for the reference client with some methods overridden."""
    return adapter_of(type("Changed", (Faulty,), steps), name)


def _changing(name: str, clauses: tuple[str, ...], pointer: str, change: Callable[[Any], Any]) -> ClientFault:
    """Return a client that changes the values at a place before it passes them to the caller."""

    def as_reply(self: Faulty, batch: Batch) -> dict[str, Any]:
        reply = Faulty.as_reply(self, batch)
        for place in reversed(expand(reply, pointer)):
            there = read(reply, place)
            if there is not MISSING:
                reply = replaced(reply, place, change(there))
        return reply

    return Derived(name, clauses, partial(_client, name, as_reply=as_reply), (_DECODE, _REJECT))


def _members(entity: Entity) -> dict[str, list[dict[str, Any]]]:
    """Return every documented place below the entity, with its schemas."""
    found: dict[str, list[dict[str, Any]]] = {}

    def walk(schema: Schema, pointer: str, trail: tuple[int, ...]) -> None:
        for one in beside(schema, entity.document):
            if pointer:
                found.setdefault(pointer, []).append(one)
            for inner, _, to, _ in within(one, "", pointer):
                if to != pointer and inner is not False and id(inner) not in trail:
                    walk(inner, to, (*trail, id(inner)))

    walk(entity.schema, "", ())
    return found


def _in_members(entity: Entity, names: Names) -> Found:
    """Yield clients that lose a member, replace it by null, garble it, or refuse one of its values."""
    for pointer, schemas in _members(entity).items():
        types = {one for schema in schemas for one in types_of(schema)}
        choices = [one for schema in schemas for one in schema.get("enum", ())]
        dates = any(schema.get("format") == "date-time" for schema in schemas)
        if not pointer.endswith("/*"):
            yield _changing(
                names(pointer, "lost"), _decode_clauses(pointer, entity, dates, types), pointer, lambda _: MISSING
            )
        yield _changing(names(pointer, "null"), _decode_clauses(pointer, entity, dates, types), pointer, lambda _: None)
        if dates:
            clauses: tuple[str, ...] = (_DATES, *_FIELDS)
            yield _changing(names(pointer, "offset-dropped"), clauses, pointer, _naive)
            yield _changing(names(pointer, "an-hour-later"), clauses, pointer, _later)
            continue
        for choice in choices:
            yield _refusing(
                names(pointer, "refused", choice), _decode_clauses(pointer, entity, dates, types), pointer, choice
            )
        if "integer" in types and not choices:
            yield _changing(names(pointer, "32-bits"), (_DECODE + "counts", *_FIELDS), pointer, _saturated)
        if types & {"string", "integer", "number", "boolean", "array"} or choices:
            clauses = _decode_clauses(pointer, entity, dates, types)
            yield _changing(names(pointer, "garbled"), clauses, pointer, _garbled)
        if "array" in types and all(schema.get("maxItems", 2) > 1 for schema in schemas):
            yield from _in_arrays(entity, names, pointer)
        if "null" in types:
            yield _refusing(names(pointer, "refused", "null"), _OPTIONAL, pointer, None)


def _in_arrays(entity: Entity, names: Names, pointer: str) -> Found:
    """Yield clients that keep the first item of an array only, or turn its order round."""
    for code, part in {"first-only": slice(1), "backwards": slice(None, None, -1)}.items():
        name = names(pointer, code)
        if SEVERAL in unmade_values(entity.operation.name).get(pointer, ""):
            yield Unprovable(name, "no valid array of several items was found")
            continue
        yield _changing(name, (*_FIELDS, _DECODE + "optional"), pointer, partial(_part_of, part))


def _decode_clauses(pointer: str, entity: Entity, dates: bool, types: set[str]) -> tuple[str, ...]:
    """Return the clauses that a fault in decoding a place may break; it must break one of them."""
    if dates:
        return (*_FIELDS, _DATES)
    special = [_DECODE + "status"] if pointer == entity.lifecycle_pointer else []
    special += [_DECODE + "id"] if pointer == entity.echo else []
    special += [_DECODE + "counts"] if "integer" in types else []
    return (*_FIELDS, *special, _DECODE + "optional", _DECODE + "status")


def _refusing(name: str, clauses: tuple[str, ...], pointer: str, choice: Any) -> ClientFault:
    """Return a client that raises a decode error for one documented value."""

    def batch(self: Faulty, value: Any) -> Batch:
        made = Faulty.batch(self, value)
        if any(type(one := read(value, at)) is type(choice) and one == choice for at in expand(value, pointer)):
            raise BatchError("decode", "not a value that this client knows")
        return made

    return Derived(name, clauses, partial(_client, name, batch=batch), (_DECODE, _REJECT))


def _in_refusals(entity: Entity, names: Names) -> Found:
    """Yield clients that accept a missing member, or one of a wrong type."""
    for place in entity.places:
        if place.keyword not in ("type", "required") or not place.pointer or place.conditional:
            continue

        name = names(place.pointer, f"{place.keyword}-taken")
        yield Derived(name, _TYPES, partial(_client, name, refuses=_accepting(place.pointer, place.keyword)))


def _accepting(pointer: str, keyword: str) -> Callable[[Faulty, Violation, Any], bool]:
    def refuses(self: Faulty, found: Violation, value: Any) -> bool:
        accepted = found.code == keyword and matches(pointer, found.pointer)
        return not accepted and Faulty.refuses(self, found, value)

    return refuses


def _in_requests(entity: Entity, names: Names) -> Found:
    """Yield clients that do not send a required header."""
    for header, _ in entity.operation.required_headers():
        name = names(f"header/{header}", "required")
        clauses = ("client.request.target",)
        yield Derived(name, clauses, partial(_client, name, headers=_without_header(header)), ("client.request.",))


def _without_header(name: str) -> Callable[[Faulty], dict[str, str]]:
    def headers(self: Faulty) -> dict[str, str]:
        return {key: value for key, value in Faulty.headers(self).items() if key != name}

    return headers


def _in_errors(entity: Entity, names: Names) -> Found:
    """Yield clients that report a documented error as another kind, or without its status."""
    own = {401: "401", 404: "404", 429: "429", 500: "500"}
    for key in entity.operation.answers:
        if not key.isdecimal() or int(key) < 400:
            continue
        status = int(key)
        clauses = (f"client.error.{own.get(status, 'other-status')}",)
        for code, kind in (("kind", "decode"), ("status", "")):
            name = names(key, code)
            yield Derived(name, clauses, partial(_client, name, error=_other_error(status, kind)), ("client.error.",))


def _other_error(status: int, kind: str) -> Callable[[Faulty, Answer], BatchError]:
    def error(self: Faulty, answer: Answer) -> BatchError:
        made = Faulty.error(self, answer)
        if answer.status != status:
            return made
        return BatchError(kind or made.kind, str(made), made.status if kind else None)

    return error


def _naive(text: str) -> Any:
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()


def _later(text: str) -> Any:
    return (datetime.fromisoformat(text) + timedelta(hours=1)).isoformat()


def _part_of(part: slice, value: Any) -> Any:
    return value[part] if isinstance(value, list) else value


def _saturated(value: Any) -> Any:
    return min(value, _LARGEST_OF_32_BITS) if type(value) is int else value


def _garbled(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value} "
    return [*value, *value[:1], None] if isinstance(value, list) else value
