"""Single-fault servers derived from the current contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.clause_list import clause_list, header_clause, place_of_status
from batch_conformance.contract.entity import LIST, Entity, entity_of, list_shape
from batch_conformance.contract.operation import Answer as DocumentedAnswer
from batch_conformance.contract.operation import Operation
from batch_conformance.contract.parameter import as_sent
from batch_conformance.contract.pointers import MISSING, read, replaced
from batch_conformance.contract.rules import Holds
from batch_conformance.contract.written_values import header_text, schema_of, value_of
from batch_conformance.generate.values import (
    Space,
    faults_of,
    rule_faults_of,
    transition_faults_of,
    values_of,
)
from batch_conformance.mutants.derived.answering import (
    answering,
    as_text,
    with_body,
    with_fault,
    with_header,
    with_status,
)
from batch_conformance.mutants.derived.bodies import Found, in_bodies, in_rules
from batch_conformance.mutants.derived.listed import list_faults
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.mutants.derived.others import faults_of_others
from batch_conformance.operations.stored import Shown, StoredBatch
from batch_conformance.reference.documented import documented_headers
from batch_conformance.reference.edited import space_of
from batch_conformance.reference.server import Answer, Asked, ReferenceServer, refusal_of

ServerFault = Derived[ReferenceServer]

_IDENTITY, _FINAL, _FORWARD = "server.poll.identity", "server.poll.final", "server.poll.forward-only"
_NOT_FOUND, _DOCUMENTED = "server.notfound.unknown-id", "server.error.documented-status"
_RATE, _ERROR_TYPE = "server.rate.429", "server.error.media-type"
#: Pairs of reads to choose from for a rule.
_MAX_PAIRS = 6
#: Statuses that probes provoke, and statuses that are staged.
_PROVOKED, _STAGED = (401, 403, 404), (429, 500)
#: The first of these that is not documented is used as an undocumented status.
_UNDOCUMENTED = (418, 410, 409, 406, 402)


@cached_by_contract
def server_faults() -> tuple[dict[str, ServerFault], tuple[Unprovable, ...]]:
    """Return the mutants by name, and the places without one."""
    found: list[ServerFault | Unprovable] = []
    names = Names("get")
    for kind in (_in_bodies, _in_rules, _in_steps, _in_identity, _in_errors, _in_statuses):
        found += kind(entity_of("get"), names)
    found += _in_headers(names)
    found += list_faults()
    found += faults_of_others()
    mutants = {one.name: one for one in found if isinstance(one, Derived)}
    return mutants, tuple(one for one in found if isinstance(one, Unprovable))


def _answering_reads(entity: Entity, id_from: Any, *values: Any) -> ReferenceServer:
    """Return a server that answers the reads of one batch with ``values``.

    The batch replaces the one with the id in ``id_from``, or is added; without an id there, it replaces the
    first one.
    """
    server = ReferenceServer()
    name = read(id_from, entity.echo) if entity.echo else MISSING
    batch_id = next(iter(server.store.batches)) if name is MISSING else as_sent(name)
    server.store.add(Shown(batch_id, list(values)))
    shape, batches = list_shape() if LIST in current_contract().operations else None, server.store.batches
    # An edited contract may limit the number of batches.
    for other in [name for name in batches if name != batch_id] if shape and shape.most is not None else ():
        if shape and shape.most and len(batches) > shape.most:
            del batches[other]
    return server


@cached_by_contract
def _space() -> Space:
    return space_of(entity_of("get"))


@cached_by_contract
def _bases() -> tuple[Any, ...]:
    return tuple(one.value for one in values_of(_space(), 60))


def _in_bodies(entity: Entity, names: Names) -> Found:
    """Yield a server for every keyword of every place of the entity."""
    return in_bodies(entity, _space(), names, lambda fault: partial(_answering_reads, entity, fault.base, fault.value))


def _in_rules(entity: Entity, names: Names) -> Found:
    return in_rules(entity, _space(), names, lambda fault: partial(_answering_reads, entity, fault.value, fault.value))


def _in_steps(entity: Entity, names: Names) -> Found:
    """Yield servers that break rules that join two reads, or make a forbidden lifecycle step."""
    faults = transition_faults_of(_space(), most=_MAX_PAIRS)
    seen: set[str] = set()
    for fault in sorted(faults, key=lambda one: _changes_constant_member(entity, one.before, one.value)):
        build = partial(_answering_reads, entity, fault.before, fault.before, fault.value)
        more = (_FINAL, _IDENTITY) if _changes_constant_member(entity, fault.before, fault.value) else ()
        if fault.code == "lifecycle":
            step = "-".join(text for _, text in fault.values)
            final = entity.lifecycle.is_final(read(fault.before, fault.pointer))
            clauses = (_FINAL, _FORWARD) if final else (_FORWARD,)
            yield Derived(names(fault.pointer, "lifecycle", step), clauses, build, more)
        elif fault.schema_pointer not in seen:
            seen.add(fault.schema_pointer)
            clauses = (clause_list().of_rule(fault.code, entity.operation.name),)
            yield Derived(names(fault.pointer, fault.code), clauses, build, more)
    for code in faults.unreachable:
        yield Unprovable(names(code, "rule"), "no two reads were found that break this alone")


def _changes_constant_member(entity: Entity, before: Any, after: Any) -> bool:
    """Whether two reads differ in the identity or, after a final status, in a frozen member."""
    cycle = entity.lifecycle
    final = bool(cycle.pointer) and cycle.is_final(read(before, cycle.pointer))
    places = (*entity.identity, *(cycle.frozen if final else ()))
    return any(read(before, place) != read(after, place) for place in places)


def _in_identity(entity: Entity, names: Names) -> Found:
    """Yield servers that change a member of the identity, or a frozen one after a final status."""
    for place in entity.identity:
        if place != entity.echo:
            yield _changing(entity, names, place, "changed", (_IDENTITY,), final=False)
    for place in entity.lifecycle.frozen if entity.lifecycle.final else ():
        yield _changing(entity, names, place, "frozen", (_FINAL,), final=True)


def _changing(
    entity: Entity, names: Names, place: str, code: str, clauses: tuple[str, ...], *, final: bool
) -> ServerFault | Unprovable:
    space, status = _space(), entity.lifecycle_pointer
    name = names(place, code)
    for before in _bases():
        if final and not entity.lifecycle.is_final(read(before, status)):
            continue
        for after in _changes(entity, space, before, place):
            outcomes = space.rules.evaluate(after, before)
            if space.is_valid(after) and all(isinstance(one.outcome, Holds) for one in outcomes):
                return Derived(name, clauses, partial(_answering_reads, entity, before, before, after))
    return Unprovable(name, "no two valid reads were found that differ there alone")


def _changes(entity: Entity, space: Space, value: Any, place: str) -> Iterator[Any]:
    """Yield valid values that differ from ``value`` at a documented place or below it."""
    below = [at for at, _ in space.walk(value) if at == place or at.startswith(place + "/")]
    for at in below:
        there = read(value, at)
        if isinstance(there, dict | list) or not entity.has(at):
            continue
        from_examples = [read(example, at) for example in space.examples]
        for option in [*from_examples, *space.options_for(value, at, [], [])]:
            if type(option) is type(there) and option != there:
                yield replaced(value, at, option)


def _in_errors(entity: Entity, names: Names) -> Found:
    """Yield a server for every keyword of every place of every documented error, and its media type."""
    operation = entity.operation
    for key, answer in operation.answers.items():
        if not key.isdecimal() or int(key) < 400:
            continue
        status = int(key)
        if status not in (*_PROVOKED, *_STAGED):
            yield Unprovable(names(key, "error"), f"nothing that the suite may send leads to a {key}")
            continue
        name = names(key, "media-type")
        if status == 429:
            yield Unprovable(name, "gateways answer it: nothing asks for its media type")
        else:
            yield Derived(name, (_ERROR_TYPE,), partial(answering, status, as_text))
        yield from _in_error(status, answer, names)


def _in_error(status: int, answer: DocumentedAnswer, names: Names) -> Found:
    media = answer.media_type
    if media is None:
        return
    space = Space(media.schema, current_contract().document.content, list(media.examples.values()))
    status_place = place_of_status("server.error.status-agrees")
    for broken in rule_faults_of(space, most=1):
        if status_place and read(broken.value, status_place) not in (MISSING, status):
            continue  # server.error.status-agrees would report the body as well
        build = partial(answering, status, partial(with_body, body=broken.value))
        clauses = (clause_list().of_rule(broken.code, "get"),)
        yield Derived(names(f"{status}{broken.pointer}", broken.code), clauses, build)
    faults = faults_of(space, most=1)
    clauses = ("server.error.body", *((_RATE,) if status == 429 else ()))
    for fault in faults:
        build = partial(answering, status, partial(with_fault, faulty=fault.value, base=fault.base))
        yield Derived(names(f"{status}{fault.pointer}", fault.code), clauses, build)
    for place in faults.unreachable:
        yield Unprovable(names(f"{status}{place.pointer}", place.code), "no body was found that breaks this alone")


def _in_headers(names: Names) -> Found:
    """Yield servers that omit a required header, or send one that breaks its schema."""
    content, seen = current_contract().document.content, set()
    rows = [(one, key) for one in current_contract().operations.values() for key in one.answers]
    for operation, key in rows:
        answer = operation.answers[key]
        for header, value in documented_headers(operation.name, key):
            if (key, header) in seen:
                continue
            seen.add((key, header))
            clause, row = header_clause(header), answer.headers[header]
            if clause not in clause_list().clauses:
                continue
            status = int(key) if key.isdecimal() else 0
            if status not in (*_PROVOKED, *_STAGED) and answer is not operation.success:
                yield Unprovable(names(f"{key}/{header}", "header"), "nothing that the suite may send leads there")
                continue
            others: list[tuple[str, str | None]] = [("required", None)] if row.get("required") else []
            space = Space(schema_of(row), content, [value_of(value, row, content)])
            texts = [(one.code, header_text(one.value, row)) for one in faults_of(space, most=1)]
            # A faulty value may be valid once it is serialized.
            others += [one for one in texts if not space.is_valid(value_of(one[1], row, content))]
            for code, other in others:
                if other is None or (other.strip() == other and other.isprintable()):
                    change = partial(with_header, name=header, value=other)
                    yield Derived(names(f"{key}/{header}", code), (clause,), partial(answering, status, change))


def _in_statuses(entity: Entity, names: Names) -> Found:
    """Yield servers with another status for each documented one, or another media type for the success."""
    operation = entity.operation
    other = next((one for one in _UNDOCUMENTED if not operation.documents(one)), None)
    for key, answer in operation.answers.items():
        name = names(key, "status")
        if not key.isdecimal() or other is None:
            yield Unprovable(name, "other statuses are documented too")
            continue
        status = int(key)
        if status < 300:
            more = next((one for one in (202, 203, 226) if not operation.documents(one)), None)
            if more is not None:
                yield Derived(name, ("server.ok.status",), partial(_finding, more), ("server.",))
            if answer.media_type is not None:
                build = partial(_finding, status, "text/x-other")
                yield Derived(names(key, "media-type"), ("server.ok.media-type",), build)
            continue
        clauses = _clauses_of(status, operation)
        if clauses:
            build = partial(answering, status, partial(with_status, status=other))
            yield Derived(name, clauses, build, ("server.auth.", "server.method.", "server.notfound.", _DOCUMENTED))
        else:
            yield Unprovable(name, f"nothing that the suite may send has to lead to a {key}")


def _clauses_of(status: int, operation: Operation) -> tuple[str, ...]:
    if status == 404:
        return (_NOT_FOUND, "server.auth.other-org")
    if status in (401, 403) and operation.key is not None and refusal_of(operation) == status:
        return ("server.auth.missing-key", "server.auth.invalid-key")
    return ()


class _Finding(ReferenceServer):
    """Answers with another status or media type where a batch is found."""

    status = 200
    media_type: str | None = None

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        answer = super().found(batch, asked)
        answer.status = self.status
        answer.media_type = self.media_type or answer.media_type
        return answer


def _finding(status: int, media_type: str | None = None) -> ReferenceServer:
    kind: type[_Finding] = type("Finding", (_Finding,), {"status": status, "media_type": media_type})
    return kind()
