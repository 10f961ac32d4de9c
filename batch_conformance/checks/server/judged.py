"""Results of validating one body by the contract, by the clause that reports them. Cached by body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batch_conformance.contract import MediaType, cached_by_contract, current_contract
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import Entity, entity_in
from batch_conformance.contract.pointers import join
from batch_conformance.contract.rules import Broken, Evaluation, Holds, RuntimeMissing
from batch_conformance.contract.schema import SchemaJudge, Violation
from batch_conformance.http import read_json

__all__ = [
    "Broken",
    "Condition",
    "Evaluation",
    "Holds",
    "Judged",
    "conditions",
    "entity_for",
    "judged",
    "moved",
]


@dataclass(frozen=True)
class Judged:
    """One body, validated by the schema and the rules of the entity.

    ``faults`` and ``rules`` are by clause; ``conditions_met`` are the schema's conditions (``if``) that the body fits,
    as indexes into :func:`conditions`. ``error`` is the reason why no rule could be evaluated.
    """

    faults: Mapping[str, tuple[Violation, ...]] = field(default_factory=dict)
    rules: Mapping[str, tuple[Evaluation, ...]] = field(default_factory=dict)
    conditions_met: frozenset[int] = frozenset()
    error: str = ""

    def clause_at(self, evaluation: Evaluation) -> str:
        """Return the clause of a violation at or above a place that a rule names; "" if there is none."""
        places = [join(evaluation.pointer) + name for name in _names(evaluation)]
        for clause, faults in self.faults.items():
            for fault in faults:
                if any(place == fault.pointer or place.startswith(fault.pointer + "/") for place in places):
                    return clause
        return ""


def _names(evaluation: Evaluation) -> list[str]:
    rule = evaluation.rule
    return [*rule.targets(), *(rule.targets("oldSelf") if rule.transition else ())]


@dataclass(frozen=True)
class Condition:
    """Branch of an ``if`` in the entity's schema: ``then`` (``fits``) or ``else``.

    ``pointers`` are the places in the branch, ``codes`` its rules; ``words`` describe what fits, for people.
    """

    judge: SchemaJudge
    fits: bool
    pointers: frozenset[str]
    codes: frozenset[str]
    words: str


@cached_by_contract
def entity_for(operation: str, media: str | None) -> Entity:
    """Return the entity in a success response; an undocumented media type counts as the first one."""
    contract = current_contract()
    found = contract.operation(operation)
    return entity_in(found, media_of(found.name, media), contract)


@cached_by_contract
def media_of(operation: str, media: str | None) -> MediaType | None:
    """Return what is documented for a success of a media type; the first documented body for any other."""
    success = current_contract().operation(operation).success
    return None if success is None else success.body_of(media) or success.media_type


@cached_by_contract
def judged(operation: str, media: str | None, body: bytes) -> Judged:
    """Judge a body. Cached, since servers send the same bytes again and again."""
    entity, clauses = entity_for(operation, media), clause_list()
    value = read_json(body).value
    faults: dict[str, list[Violation]] = {}
    for violation in entity.judge.violations(value):
        faults.setdefault(clauses.of_place(violation.pointer, operation), []).append(violation)
    rules: dict[str, list[Evaluation]] = {}
    error = ""
    try:
        for one in entity.rules.evaluate(value) if entity.stated_rules else ():
            rules.setdefault(clauses.of_rule(one.rule.code, operation), []).append(one)
    except RuntimeMissing as missing:
        error = str(missing)
    rows = enumerate(conditions(operation, media))
    met = frozenset(at for at, one in rows if one.judge.is_valid(value) == one.fits)
    return Judged(_frozen(faults), _frozen(rules), met, error)


@cached_by_contract
def moved(operation: str, media: str | None, before: bytes, after: bytes) -> Judged:
    """Judge the rules that join two reads, the earlier body first."""
    entity, clauses = entity_for(operation, media), clause_list()
    rules: dict[str, list[Evaluation]] = {}
    first, second = read_json(before).value, read_json(after).value
    try:
        for one in entity.rules.evaluate(second, first):
            if one.rule.transition:
                rules.setdefault(clauses.of_rule(one.rule.code, operation), []).append(one)
    except RuntimeMissing as missing:
        return Judged(error=str(missing))
    faults: dict[str, list[Violation]] = {}
    for value in (first, second):
        for violation in entity.judge.violations(value):
            faults.setdefault(clauses.of_place(violation.pointer, operation), []).append(violation)
    return Judged(_frozen(faults), _frozen(rules))


def _frozen(rows: Mapping[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(values) for key, values in rows.items()}


@cached_by_contract
def conditions(operation: str, media: str | None) -> tuple[Condition, ...]:
    """Return the conditions in the schema of a success response's entity."""
    entity = entity_for(operation, media)
    found = []
    for layer in entity.layers:
        for branch, fits in (("then", True), ("else", False)):
            inner = layer.get(branch)
            if "if" not in layer or not isinstance(inner, dict):
                continue
            part = Entity(entity.operation, entity.document, inner, "", "")
            found.append(
                Condition(
                    judge=SchemaJudge(layer["if"], entity.document, trusted=True),
                    fits=fits,
                    pointers=frozenset(place.pointer for place in part.places),
                    codes=frozenset(rule.code for rule in part.stated_rules),
                    words=_words(layer["if"], entity) if fits else "batch that does not fit the condition",
                )
            )
    return tuple(found)


def _words(condition: Any, entity: Entity) -> str:
    """Describe the batches that fit an ``if``: "COMPLETED batch", "batch with priority 3"."""
    rows = condition.get("properties", {}) if isinstance(condition, dict) else {}
    described = []
    for name, schema in rows.items():
        values = schema.get("enum", [schema["const"]] if "const" in schema else []) if isinstance(schema, dict) else []
        described.append((name, " or ".join(map(str, values))))
    if len(described) != 1 or not described[0][1]:
        return "batch that fits the condition"
    (name, values) = described[0]
    return f"{values} batch" if join("", name) == entity.lifecycle_pointer else f"batch with {name} {values}"
