"""Single-fault servers for the success answer of any operation: one for each place and keyword, one for each rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import Entity
from batch_conformance.generate.values import Fault, RuleFault, Space, faults_of, rule_faults_of
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.reference.server import ReferenceServer

Found = Iterator[Derived[ReferenceServer] | Unprovable]
#: Builds a server.
Build = Callable[[], ReferenceServer]


def in_bodies(entity: Entity, space: Space, names: Names, with_fault: Callable[[Fault], Build]) -> Found:
    """Yield a server for every keyword of every place of the entity."""
    operation, faults = entity.operation.name, faults_of(space, most=1)
    for fault in faults:
        # An object without the members that tell what it is, is reported as a whole.
        at = fault.pointer if entity.looks_like(fault.value) else ""
        clauses = (clause_list().of_place(at, operation),)
        yield Derived(names(fault.pointer, fault.code), clauses, with_fault(fault))
    for place in faults.unreachable:
        yield Unprovable(names(place.pointer, place.code), "no value was found that breaks this alone")


def in_rules(entity: Entity, space: Space, names: Names, with_fault: Callable[[RuleFault], Build]) -> Found:
    """Yield a server for every rule about one answer."""
    operation, faults = entity.operation.name, rule_faults_of(space, most=1)
    for fault in faults:
        clauses = (clause_list().of_rule(fault.code, operation),)
        yield Derived(names(fault.pointer, fault.code), clauses, with_fault(fault))
    for code in faults.unreachable:
        yield Unprovable(names(code, "rule"), "no value was found that breaks this rule alone")
