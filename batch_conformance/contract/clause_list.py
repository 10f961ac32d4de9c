"""The clauses of one contract: the rows of ``contracts/clauses.yaml``, and derived ones for uncovered places.

``covers`` binds a row to places of the entity (``entity:/created_at``), to rules (``rule:metrics-sum``), or
to places of error bodies (``error:/statusCode``), in the answers of the row's ``operations``. The longest
matching place wins; ``entity:`` is the object itself. Places, rules and headers that no row covers get
``server.body.<member>``, ``server.rule.<code>`` or ``server.header.<name>``; the object itself gets
``server.body.<operation>-object``; a filter that an overlay adds gets ``server.list.by-<name>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.entity import LIST, Entity, entity_of
from batch_conformance.contract.filters import other_filters
from batch_conformance.contract.load import Clause, load_contract
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.parameter import Parameter
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
    def _covers(self) -> dict[tuple[str, str], str]:
        """Ids of written rows by operation and cover."""
        return {
            (operation, cover): row.id
            for row in load_contract().clauses.values()
            for cover in row.covers
            if not _names_status(cover, row)
            for operation in row.operations
        }

    def _covering(self, cover: str, operations: Iterable[str]) -> str:
        """Return the id of the row that covers a part of the answers of one of the operations; empty if none does."""
        return next((row for name in operations if (row := self._covers.get((name, cover)))), "")

    @cached_property
    def _alike(self) -> dict[str, tuple[str, ...]]:
        """By operation, the operations whose success answers hold the same entity, itself included."""
        pointers = {name: entity_of(name, self.contract).pointer for name in self.contract.operations}
        return {name: tuple(one for one in pointers if pointers[one] == pointers[name]) for name in pointers}

    @cached_property
    def _derived(self) -> list[Clause]:
        found: dict[str, Clause] = {}
        for entity in self.entities:
            operations = self._alike[entity.operation.name]
            for place in entity.places:
                if not self._row_of(place.pointer, operations):
                    _add(found, _body_clause(self._derived_id(place.pointer, operations), place, entity, operations))
            self._add_rules(found, entity.stated_rules, operations)
        for body in ruled_bodies(self.contract):
            self._add_rules(found, body.stated_rules, (body.operation.name,))
        for header, answers in self.headers.items():
            operations = tuple(dict.fromkeys(name for name, _ in answers))
            _add(found, _header_clause(header, self.contract, answers[0], operations))
        for name, parameter in other_filters(self.contract).items():
            _add(found, _filter_clause(name, parameter, self.contract))
        return list(found.values())

    def _add_rules(self, found: dict[str, Clause], rules: Iterable[StatedRule], operations: tuple[str, ...]) -> None:
        """Add a clause for each rule that no row covers, for all operations that state it."""
        for rule in rules:
            if not self._covering(f"rule:{rule.code}", operations):
                _add(found, _rule_clause(rule, operations))

    def of_place(self, pointer: str, operation: str) -> str:
        """Return the id of the clause that covers a place of the entity in an operation's answers."""
        operations = self._alike[operation]
        row = self._row_of(pointer, operations)
        # A removed member may still be sent; that it may not is then what another clause promises.
        if row and not self.absent(row):
            return row
        candidates = (self._derived_id(pointer, operations), self._derived_id("/*", operations))
        return next((one for one in candidates if one in self.clauses), self._row_of("", operations))

    def of_rule(self, code: str, operation: str) -> str:
        """Return the id of the clause that covers a rule about an operation's answers."""
        return self._covering(f"rule:{code}", self._alike[operation]) or RULE + _plain(code)

    def rules_of(self, clause: str, operation: str) -> list[StatedRule]:
        """Return the rules about the entity of an operation that a clause covers."""
        rules = entity_of(operation, self.contract).stated_rules
        return [rule for rule in rules if self.of_rule(rule.code, operation) == clause]

    def absent(self, clause: str) -> bool:
        """Whether everything that a written clause covers was removed from the contract."""
        return clause in self._absent

    @cached_property
    def _absent(self) -> frozenset[str]:
        rows = [row for row in self.clauses.values() if not row.derived]
        covers = {row.id: [one for one in row.covers if one.startswith(("entity:/", "rule:"))] for row in rows}
        return frozenset(name for name, held in covers.items() if held and not any(map(self._exists, held)))

    def _exists(self, cover: str) -> bool:
        kind, _, name = cover.partition(":")
        if kind == "entity":
            places = {self.own(place.pointer) for entity in self.entities for place in entity.places}
            # A forbidden member is checked although it is not documented.
            return name in places or any(entity.has(entity.place + name) for entity in self.entities)
        rules = (rule for entity in self.entities for rule in entity.stated_rules)
        return any(rule.code == name and not rule.unknown for rule in rules)

    def _row_of(self, pointer: str, operations: Sequence[str]) -> str:
        if self._is_root(pointer):
            return self._covering(_ROOT, operations)
        parts = split(self.own(pointer))
        covers = ("entity:" + join("", *parts[:length]) for length in range(len(parts), 0, -1))
        return next((row for cover in covers if (row := self._covering(cover, operations))), "")

    def _is_root(self, pointer: str) -> bool:
        """Whether a pointer is that of the object itself, or of an envelope around it."""
        return not pointer or any(f"{around}/".startswith(f"{pointer}/") for around in self._envelopes)

    def own(self, pointer: str) -> str:
        """Return a pointer in an entity without the envelope around it."""
        around = next((at for at in self._envelopes if pointer.startswith(f"{at}/")), "")
        return pointer.removeprefix(around)

    @cached_property
    def _envelopes(self) -> list[str]:
        return [entity.place for entity in self.entities if entity.place]

    def _derived_id(self, pointer: str, operations: Sequence[str]) -> str:
        """Return the id of the derived clause of a top-level member; a name that is taken gets a prefix."""
        if self._is_root(pointer):
            return f"{BODY}{operations[0]}-object"
        name = split(self.own(pointer))[0]
        if name == "*":
            return BODY + "others"
        plain = _plain(name)
        taken = BODY + plain in load_contract().clauses or plain == "others"
        return BODY + ("member-" if taken else "") + plain


def _add(found: dict[str, Clause], clause: Clause) -> None:
    """Add a derived clause, or the operations of one that is known."""
    known = found.setdefault(clause.id, clause)
    found[clause.id] = replace(known, operations=tuple(dict.fromkeys((*known.operations, *clause.operations))))


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
    name = next(iter(split(first.pointer.removeprefix(around))), "")
    own = around + join("", name) if name else first.pointer
    rows = [place for place in entity.places if place.pointer == own]
    others = (place for place in rows if place.keyword != "required")
    expectations = [_expectation(place) for place in others if not place.conditional]
    expectations += [f"{_expectation(place)} on condition" for place in rows if place.conditional]
    if name == "*":
        promise = "Members beyond the documented ones are as the schema says: " + "; ".join(expectations)
    else:
        is_required = any(place.keyword == "required" and not place.conditional for place in rows)
        promise = f"{name or 'the object'} is {'; '.join(expectations) or 'as the schema says'}"
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
