"""The clauses of one contract: the rows of ``contracts/clauses.yaml``, and derived ones for uncovered places.

``covers`` binds a row to places of the entity (``entity:/created_at``), to rules (``rule:metrics-sum``), or
to places of error bodies (``error:/statusCode``). The longest matching place wins; ``entity:`` is the object
itself. Places, rules and headers that no row covers get ``server.body.<member>``, ``server.rule.<code>`` or
``server.header.<name>``; a filter that an overlay adds gets ``server.list.by-<name>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.entity import LIST, Entity, entity_of
from batch_conformance.contract.filters import other_filters
from batch_conformance.contract.load import Clause, load_contract
from batch_conformance.contract.operation import Contract, Parameter
from batch_conformance.contract.places import ASSERTIONS, Place
from batch_conformance.contract.pointers import join, split
from batch_conformance.contract.rule_list import StatedRule
from batch_conformance.contract.ruled_bodies import ruled_bodies
from batch_conformance.contract.schema import expectation
from batch_conformance.contract.written_values import schema_of

BODY, RULE, HEADER, FILTER = "server.body.", "server.rule.", "server.header.", "server.list.by-"
#: Operators of ``x-filter`` as words in a promise.
_COMPARES = {"eq": "equals", "gt": "is greater than", "lt": "is less than"}
#: Derived clauses are listed after the last row whose id begins so.
_AFTER = "server.body."
#: ``covers`` of the object itself, and of its undocumented members.
_ROOT, _OTHERS = "entity:", "entity:/*"
_SHORT = 160


@dataclass(frozen=True, eq=False)
class ClauseList:
    """The clauses of a contract in report order, with the places and rules that each covers."""

    contract: Contract

    @cached_property
    def entities(self) -> list[Entity]:
        """The distinct entities in the success answers of all operations."""
        found = [entity_of(name, self.contract) for name in self.contract.operations]
        return list({entity.pointer: entity for entity in found}.values())

    @cached_property
    def clauses(self) -> dict[str, Clause]:
        """Every clause by its id; derived clauses follow the written ones about bodies."""
        rows = list(load_contract().clauses.values())
        at = max(number for number, row in enumerate(rows) if row.id.startswith(_AFTER)) + 1
        return {row.id: row for row in (*rows[:at], *self._derived, *rows[at:])}

    @cached_property
    def headers(self) -> dict[str, list[tuple[str, str]]]:
        """Documented headers: by clause id, pairs of operation name and answer key."""
        found: dict[str, list[tuple[str, str]]] = {}
        for operation in self.contract.operations.values():
            for answer in operation.answers.values():
                for name, header in answer.headers.items():
                    if is_promised(name, header):
                        clause = header_clause(name)
                        found.setdefault(clause, []).append((operation.name, answer.key))
        return found

    @cached_property
    def _covers(self) -> dict[str, str]:
        rows = load_contract().clauses.values()
        return {cover: row.id for row in rows for cover in row.covers if not _names_status(cover, row)}

    @cached_property
    def _derived(self) -> list[Clause]:
        found: dict[str, Clause] = {}
        for entity in self.entities:
            for place in entity.places:
                if not self._row_of(place.pointer):
                    clause = _body_clause(self._derived_id(place.pointer), place, entity, self._operations(entity))
                    found.setdefault(clause.id, clause)
            self._add_rules(found, entity.stated_rules, self._operations(entity))
        for body in ruled_bodies(self.contract):
            self._add_rules(found, body.stated_rules, (body.operation.name,))
        for header, answers in self.headers.items():
            operations = tuple(dict.fromkeys(name for name, _ in answers))
            found.setdefault(header, _header_clause(header, self.contract, answers[0], operations))
        for name, parameter in other_filters(self.contract).items():
            clause = _filter_clause(name, parameter, self.contract)
            found.setdefault(clause.id, clause)
        return list(found.values())

    def _add_rules(self, found: dict[str, Clause], rules: Iterable[StatedRule], operations: tuple[str, ...]) -> None:
        """Add a clause for each rule that no row covers, for all operations that state it."""
        for rule in rules:
            if f"rule:{rule.code}" not in self._covers:
                clause = _rule_clause(rule, operations)
                known = found.setdefault(clause.id, clause)
                found[clause.id] = replace(known, operations=tuple(dict.fromkeys((*known.operations, *operations))))

    def _operations(self, entity: Entity) -> tuple[str, ...]:
        """Return the names of the operations whose success answers hold an entity."""
        names = self.contract.operations
        return tuple(name for name in names if entity_of(name, self.contract).pointer == entity.pointer)

    def of_place(self, pointer: str) -> str:
        """Return the id of the clause that covers a place of the entity."""
        row = self._row_of(pointer)
        if row:
            return row
        derived = self._derived_id(pointer)
        if derived in self.clauses:
            return derived
        others = self._derived_id("/*")
        return others if others in self.clauses else self._covers[_ROOT]

    def of_rule(self, code: str) -> str:
        """Return the id of the clause that covers a rule."""
        return self._covers.get(f"rule:{code}", RULE + _plain(code))

    def absent(self, clause: str) -> bool:
        """Whether everything that a written clause covers was removed from the contract."""
        row = self.clauses.get(clause)
        written = row is not None and not row.derived
        covers = [one for one in row.covers if one.startswith(("entity:/", "rule:"))] if row and written else []
        return bool(covers) and not any(self._exists(cover) for cover in covers)

    def _exists(self, cover: str) -> bool:
        kind, _, name = cover.partition(":")
        if kind == "entity":
            places = {self.own(place.pointer) for entity in self.entities for place in entity.places}
            # A forbidden member is checked although it is not documented.
            return name in places or any(entity.has(entity.place + name) for entity in self.entities)
        rules = (rule for entity in self.entities for rule in entity.stated_rules)
        return any(rule.code == name and not rule.unknown for rule in rules)

    def _row_of(self, pointer: str) -> str:
        if not pointer or any(f"{around}/".startswith(f"{pointer}/") for around in self._envelopes):
            return self._covers[_ROOT]
        parts = split(self.own(pointer))
        for length in range(len(parts), 0, -1):
            row = self._covers.get("entity:" + join("", *parts[:length]))
            if row:
                return row
        return ""

    def own(self, pointer: str) -> str:
        """Return a pointer in an entity without the envelope around it."""
        around = next((at for at in self._envelopes if pointer.startswith(f"{at}/")), "")
        return pointer.removeprefix(around)

    @cached_property
    def _envelopes(self) -> list[str]:
        return [entity.place for entity in self.entities if entity.place]

    def _derived_id(self, pointer: str) -> str:
        """Return the id of the derived clause of a top-level member; a name that is taken gets a prefix."""
        name = split(self.own(pointer))[0]
        if name == "*":
            return BODY + "others"
        plain = _plain(name)
        taken = BODY + plain in load_contract().clauses or plain == "others"
        return BODY + ("member-" if taken else "") + plain


def clause_list(contract: Contract | None = None) -> ClauseList:
    """Return the clauses of a contract; of the current one by default."""
    return (contract or current_contract()).cached("clauses", ClauseList)


def is_promised(name: str, header: Mapping[str, Any]) -> bool:
    """Whether a documented header promises more than that it may be present as text.

    A header named Content-Type is ignored (OpenAPI 3.1, 4.8.17): ``content`` describes it.
    """
    if name.lower() == "content-type":
        return False
    schema = schema_of(header)
    keywords = schema if isinstance(schema, dict) else {}
    return bool(header.get("required")) or any(
        key in keywords
        for key in (*ASSERTIONS, "$ref", "allOf", "if")
        if (key, keywords.get(key)) != ("type", "string")
    )


def header_clause(name: str) -> str:
    """Return the clause id of a documented header; the case of its name does not matter."""
    return HEADER + _plain(name.lower())


def filter_clause(name: str) -> str:
    """Return the clause id of a filter that an overlay adds."""
    return FILTER + _plain(name)


def _filter_clause(name: str, parameter: Parameter, contract: Contract) -> Clause:
    assert parameter.filter is not None
    member, compares = ".".join(split(parameter.filter.member)), _COMPARES[parameter.filter.operator]
    promise = f"{name} selects the batches whose {member} {compares} it: all of them, and no others."
    source = f"{contract.operation(LIST).pointer}/parameters ({name})"
    return Clause(filter_clause(name), "must", promise, source, operations=(LIST,), derived=True)


def _plain(name: str) -> str:
    """Return a name as a part of a clause id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "member"


def place_of_status(clause: str) -> str | None:
    """Return the place in error bodies that repeats the HTTP status, by a clause's ``covers``, if any."""
    row = load_contract().clauses[clause]
    return next((cover.partition(":")[2] for cover in row.covers if _names_status(cover, row)), None)


def _names_status(cover: str, row: Clause) -> bool:
    """Whether a row compares a member of error bodies with the status; the body check judges its form."""
    return cover.startswith("error:/") and row.theme == "error"


def _body_clause(clause: str, first: Place, entity: Entity, operations: tuple[str, ...]) -> Clause:
    around = entity.place if first.pointer.startswith(f"{entity.place}/") else ""
    name = split(first.pointer.removeprefix(around))[0]
    own = around + join("", name)
    rows = [place for place in entity.places if place.pointer == own]
    others = (place for place in rows if place.keyword != "required")
    expectations = [_expectation(place) for place in others if not place.conditional]
    expectations += [f"{_expectation(place)} on condition" for place in rows if place.conditional]
    if name == "*":
        promise = "Members beyond the documented ones are as the schema says: " + "; ".join(expectations)
    else:
        is_required = any(place.keyword == "required" and not place.conditional for place in rows)
        promise = f"{name} is {'; '.join(expectations) or 'as the schema says'}"
        promise += ", required" if is_required else ""
        if any(place.pointer.startswith(own + "/") for place in entity.places):
            promise += ", and what is in it is as the schema says"
    sourced = next((place for place in rows if place.keyword != "required"), first)
    source = sourced.schema_pointer.rpartition("/")[0]
    return Clause(
        clause,
        "must",
        _short(promise) + ".",
        f"schema {source}",
        operations=operations,
        covers=(f"entity:{own}",),
        derived=True,
    )


def _expectation(place: Place) -> str:
    return expectation(place.keyword, place.schema.get(place.keyword))


def _rule_clause(rule: StatedRule, operations: tuple[str, ...]) -> Clause:
    promise = f"This holds{' between two reads' if rule.transition else ''}: {' '.join(rule.rule.split())}"
    covers = (f"rule:{rule.code}",)
    return Clause(
        RULE + _plain(rule.code),
        "must",
        _short(promise),
        f"schema {rule.schema_pointer}",
        operations=operations,
        covers=covers,
        derived=True,
    )


def _header_clause(clause: str, contract: Contract, first: tuple[str, str], operations: tuple[str, ...]) -> Clause:
    found, key = contract.operation(first[0]), first[1]
    name = next(one for one in found.answers[key].headers if header_clause(one) == clause)
    header = found.answers[key].headers[name]
    there = "is there, and" if header.get("required") else "if there,"
    promise = f"The header {name} {there} is as the contract says."
    source = f"{found.pointer}/responses/{key}/headers/{name}"
    return Clause(clause, "must", promise, source, operations=operations, derived=True)


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def known_rules(contract: Contract) -> Iterator[StatedRule]:
    """Yield every rule of a contract: of its entities, of errors, of lists."""
    yield from (rule for entity in clause_list(contract).entities for rule in entity.stated_rules)
    yield from (rule for body in ruled_bodies(contract) for rule in body.stated_rules)
