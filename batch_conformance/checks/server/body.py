"""Checks of ``server.body.*`` and ``server.rule.*``: batches fit the contract's schema and rules.

Each violation is reported by the clause that covers its place, each rule by the clause that covers its code.
Derived clauses are judged by the same function as written ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server import limits
from batch_conformance.checks.server.judged import Broken, Evaluation, Holds, entity_for
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, below_the_api
from batch_conformance.checks.words import dotted, shown, wrong
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import Entity
from batch_conformance.contract.id_form import is_uuid
from batch_conformance.contract.pointers import join, read
from batch_conformance.contract.ruled_bodies import RuledBody, ruled_bodies
from batch_conformance.contract.rules import RuntimeMissing
from batch_conformance.contract.schema import Violation, expectation
from batch_conformance.http import Exchange, read_json

NEEDS = ("reads", "late-reads", "burst")
_ERRORS = ("unauthenticated", "invalid-keys", "unknown-ids")
NOT_IN_CONTRACT = "the contract has no such member or rule"
_NO_BATCH_SEEN = "no answer held a batch object"
_CLOSING = ("additionalProperties", "unevaluatedProperties")


@SERVER_CHECKS.check("server.body.object", needs=NEEDS)
def is_object(record: Record, result: CheckResult) -> None:
    """Check that a response is the batch object itself, and that it fits the schema's root."""
    for exchange in record.in_json:
        assert exchange.response is not None
        decoded = exchange.response.json
        if not decoded.ok or exchange.failure is not None:
            result.set_aside("server.ok.json")
            continue
        result.observe()
        if not record.holds(decoded.value):
            result.fail(
                exchange,
                f"the answer is not {'a batch' if result.clause == 'server.body.object' else 'the documented'} object",
                expected=f"an object with {', '.join(record.entity.required or record.entity.members)}",
                actual=_kind(decoded.value),
                code="shape",
            )
            continue
        for violation in record.judged(exchange).faults.get(result.clause, ()):
            _report(result, exchange, record.entity, decoded.value, violation)
    if not record.good:
        result.note("no read of a known batch was answered with 200")


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(str, list(value)[:8])) or 'no members'}"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return f"the value {shown(value)}"


@SERVER_CHECKS.family("server.body.", needs=NEEDS)
@SERVER_CHECKS.family("server.rule.", needs=(*NEEDS, *_ERRORS, "auth-per-request"))
def places_and_rules(record: Record, result: CheckResult) -> None:
    """Check what a clause covers: places, rules about one response, rules about two reads."""
    clause = clause_list().clauses[result.clause]
    if clause_list().absent(clause.id):
        result.note(NOT_IN_CONTRACT)
        return
    covers = [cover.partition(":") for cover in clause.covers]
    if clause.id == clause_list().of_place("", record.operation):
        is_object(record, result)
    elif any(kind == "entity" for kind, _, _ in covers):
        judge_places(record, result)
    codes = {code for kind, _, code in covers if kind == "rule"}
    rules = [rule for rule in record.entity.stated_rules if rule.code in codes and not rule.unknown]
    others = [body for body in ruled_bodies() if codes.intersection(rule.code for rule in body.stated_rules)]
    judge_other_rules(record, result, [body for body in others if body.operation.name == record.operation])
    if any(not rule.transition for rule in rules):
        judge_rules(record, result)
    if any(rule.transition for rule in rules):
        # Imported here because ``poll`` imports this module.
        from batch_conformance.checks.server.poll import judge_transitions

        judge_transitions(record, result)


def judge_places(record: Record, result: CheckResult) -> None:
    """Report violations at the clause's places; at the place that repeats the id, other ids as well."""
    entity = record.entity
    echo = entity.echo
    if echo and clause_list().of_place(echo, record.operation) != result.clause:
        echo = None
    seen: list[dict[str, Any]] = []
    for exchange, batch in batches(record, result):
        faults = record.judged(exchange).faults.get(result.clause, ())
        for violation in faults:
            _report(result, exchange, entity, batch, violation)
        if not faults:
            seen.append(batch)
        if echo and not any(fault.pointer == echo for fault in faults):
            _compare_ids(record, result, exchange, batch, echo)
    if echo and result.observations and len(record.by_id) < 2:
        result.limit("only one batch was read: a mix-up with another could not show")
    if result.observations:
        limits.of_places(record, result, seen)


def _compare_ids(record: Record, result: CheckResult, exchange: Exchange, batch: dict[str, Any], echo: str) -> None:
    received, requested = read(batch, echo), exchange.intent.id
    as_text = received if isinstance(received, str) else shown(received)
    # A UUID may be returned in lower case, its canonical form (RFC 9562, 4), whatever the request's spelling.
    if as_text == requested or (is_uuid(requested) and as_text == requested.lower()):
        return
    explanation = (
        f"the answer is another batch's, {shown(received)}"
        if isinstance(received, str) and received in record.by_id
        else ""
    )
    result.fail(
        exchange,
        _place(record.entity, batch, echo) + (f": {explanation}" if explanation else ""),
        expected=f"the id asked for, {shown(requested)}",
        actual=shown(received),
        prelude=_request_before(exchange, received, record),
        code="echo",
        pointer=echo,
    )


def _request_before(exchange: Exchange, received: object, record: Record) -> tuple[Exchange, ...]:
    """Return the last request for the batch that was received, sent before this exchange ended; or none."""
    rows = record.by_id.get(received, []) if isinstance(received, str) else []
    earlier = [other for other, _ in rows if other is not exchange and other.started < exchange.ended]
    return tuple(earlier[-1:])


def _report(result: CheckResult, exchange: Exchange, entity: Entity, batch: Any, violation: Violation) -> None:
    value = read(batch, violation.pointer)
    expected = _expected(entity, violation)
    place = _place(entity, batch, violation.pointer) or "the object"
    result.fail(
        exchange,
        f"{place}: {wrong(expected, value)}",
        expected=expected,
        actual=shown(value),
        code=violation.code,
        pointer=violation.pointer,
    )


def _place(entity: Entity, batch: Any, pointer: str) -> str:
    """Return the member, with the state of the batch unless the member is the state itself."""
    state = entity.state_of(batch) if pointer != entity.lifecycle_pointer else None
    return dotted(pointer) + (f" of a {state} batch" if state else "")


def _expected(entity: Entity, violation: Violation) -> str:
    """Return the expectation in a few words; for an absent member, its type."""
    if violation.code in ("required", "dependentRequired"):
        return _types(entity, violation.pointer) or violation.expected
    if violation.code == "pattern":
        described = read(entity.document, violation.schema_pointer.rpartition("/")[0])
        # Only if the description is about the pattern alone; beside other keywords, it is about the member.
        alone = isinstance(described, dict) and described.keys() <= {"pattern", "description", "title", "$comment"}
        return str(described["description"]) if alone and "description" in described else violation.expected
    return violation.expected


def _types(entity: Entity, pointer: str) -> str:
    for keyword in ("type", "const", "enum"):
        found = next((layer[keyword] for layer in entity.layers_at(pointer) if keyword in layer), None)
        if found is not None:
            return expectation(keyword, found)
    return ""


def batches(record: Record, result: CheckResult) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    """Yield every received batch and count it as an observation; note the reason if there is none."""
    if not record.batches:
        result.note(_NO_BATCH_SEEN)
        rows = (row.response.json.ok for row in record.in_json if row.response)
        result.set_aside(clause_list().of_place("", record.operation), sum(rows))
    for exchange, batch in record.batches:
        result.observe()
        yield exchange, batch


def judge_rules(record: Record, result: CheckResult) -> None:
    """Report responses that break a rule. A rule that does not apply, or fails to evaluate, is no pass."""
    applied = missing = False
    for exchange, batch in record.batches:
        found = record.judged(exchange)
        if found.error:
            missing = True
            result.note(found.error)
        for one in found.rules.get(result.clause, ()):
            if one.rule.transition:
                continue
            applied = True
            clause = found.clause_at(one)
            if clause:
                result.set_aside(clause)
            elif weigh(one, exchange, result, _state(record, batch)):
                result.observe()
    if not (result.observations or result.explained or result.unjudged or missing):
        result.note(limits.never_met(record, result.clause) if not applied else "no answer could be asked")


def judge_other_rules(record: Record, result: CheckResult, bodies: Sequence[RuledBody]) -> None:
    """Report errors, and whole lists, that break a rule."""
    for body in bodies:
        for exchange in record.answered if record.answers is None else record.answers:
            response, answer = exchange.response, record.documented.answer(exchange.status or 0)
            if response is None or answer is None or answer.key != body.key:
                continue
            if exchange.request.method == "HEAD" or below_the_api(exchange):
                continue
            if body.inner is not None and exchange.intent.key_kind != "valid":
                continue
            if exchange.failure is not None or not response.json.ok or not body.judge.is_valid(response.json.value):
                result.set_aside(body.form)
                continue
            try:
                found = body.rules.evaluate(response.json.value)
            except RuntimeMissing as missing:
                result.note(str(missing))
                continue
            for one in found:
                clause = clause_list().of_rule(one.rule.code, body.operation.name)
                ours = not one.rule.transition and clause == result.clause
                if ours and weigh(one, exchange, result, whole=body.words):
                    result.observe()
    if bodies and not (result.observations or result.explained or result.unjudged):
        result.note(f"no {' or '.join(dict.fromkeys(body.key for body in bodies))} with such a body was seen")


def _state(record: Record, batch: Any) -> str:
    state = record.entity.state_of(batch)
    return f" of a {state} batch" if state else ""


def weigh(
    one: Evaluation,
    exchange: Exchange,
    result: CheckResult,
    state: str = "",
    prelude: Iterable[Exchange] = (),
    whole: str = "a batch",
) -> bool:
    """Report a rule's violation, if there is one. Return whether the rule could be evaluated.

    ``whole`` names the object that the rule is about.
    """
    if isinstance(one.outcome, Holds):
        return True
    if not isinstance(one.outcome, Broken):
        result.leave_unjudged(f"the rule {one.rule.code} cannot be evaluated: {one.outcome.reason}")
        return False
    place = dotted(one.pointer)
    values = ", ".join(
        f"{path.partition('.')[2] or 'it'} {'was' if path.startswith('oldSelf') else 'is'} {value}"
        for path, value in one.outcome.values
    )
    named_places = one.rule.targets()
    only = named_places[0] if len(set(named_places)) == 1 else ""
    result.fail(
        exchange,
        f"{place or state.removeprefix(' of ') or whole}: {one.outcome.message}",
        expected=" ".join(one.rule.rule.split()),
        actual=values,
        prelude=tuple(prelude),
        code=one.rule.code,
        pointer=join(one.pointer) + only,
    )
    return True


@SERVER_CHECKS.check("server.body.open", needs=NEEDS)
def stays_open(record: Record, result: CheckResult) -> None:
    """Check that the contract's schema accepts unknown members in the received batches.

    A failure is a defect of the suite, not of the server.
    """
    # Without an overlay, it is the suite's own schema that refuses them.
    if current_contract().overlays and any(place.keyword in _CLOSING for place in record.entity.places):
        result.note("the contract itself says which members there may be")
        return
    for exchange, _ in batches(record, result):
        assert exchange.response is not None
        for message in _refused_members(record.operation, exchange.response.media_type, exchange.response.body):
            result.fail(
                exchange,
                "the suite refuses members it does not know (a defect of the suite)",
                expected="extra members accepted",
                actual=message,
                code="closed",
            )


@cached_by_contract
def _refused_members(operation: str, media: str | None, body: bytes) -> tuple[str, ...]:
    """Return violations of closed schemas, for the body as received and with unknown members added."""
    entity, batch = entity_for(operation, media), read_json(body).value
    more = {"xFuture": {"id": None, "status": 0}, "_links": []}
    inner = {name: {"x_future": -1, **item} for name, item in batch.items() if isinstance(item, dict)}
    return tuple(
        f"{dotted(violation.pointer)}: {violation.expected}"
        for value in (batch, {**more, **batch, **inner})
        for violation in entity.judge.violations(value)
        if violation.code in _CLOSING
    )
