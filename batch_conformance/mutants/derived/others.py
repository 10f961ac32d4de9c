"""Single-fault servers for all operations but Get Batch and List Batches, derived from their success answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.operation import Operation
from batch_conformance.generate.values import faults_of, rule_faults_of
from batch_conformance.mutants.derived.answering import answering, as_text, with_body, with_fault, with_status
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.reference.edited import space_of
from batch_conformance.reference.server import ReferenceServer

Found = Iterator[Derived[ReferenceServer] | Unprovable]

_STATUS, _MEDIA_TYPE = "server.ok.status", "server.ok.media-type"
#: Successes; the first of these that is not documented is used as an undocumented one.
_SUCCESSES = (202, 203, 226)


def faults_of_others(names: Names) -> Found:
    """Yield servers with one fault in the success answers of each other operation."""
    for operation in current_contract().operations.values():
        if operation.name not in ("get", LIST):
            yield from _in_bodies(operation, names)
            yield from _in_rules(operation, names)
            yield from _in_success(operation, names)


def _in_bodies(operation: Operation, names: Names) -> Found:
    name, status = operation.name, operation.success_status
    entity = entity_of(name)
    faults = faults_of(space_of(entity), most=1)
    for fault in faults:
        # An object without the members that tell what it is, is reported as a whole.
        at = fault.pointer if entity.looks_like(fault.value) else ""
        build = partial(answering, status, partial(with_fault, faulty=fault.value, base=fault.base), name)
        yield Derived(names(name + fault.pointer, fault.code), (clause_list().of_place(at, name),), build)
    for place in faults.unreachable:
        yield Unprovable(names(name + place.pointer, place.code), "no value was found that breaks this alone")


def _in_rules(operation: Operation, names: Names) -> Found:
    name, status = operation.name, operation.success_status
    faults = rule_faults_of(space_of(entity_of(name)), most=1)
    for fault in faults:
        build = partial(answering, status, partial(with_body, body=fault.value), name)
        yield Derived(names(name + fault.pointer, fault.code), (clause_list().of_rule(fault.code, name),), build)
    for code in faults.unreachable:
        yield Unprovable(names(name + code, "rule"), "no value was found that breaks this rule alone")


def _in_success(operation: Operation, names: Names) -> Found:
    name, status = operation.name, operation.success_status
    other = next((one for one in _SUCCESSES if not operation.documents(one)), None)
    if other is not None:
        change = partial(with_status, status=other)
        yield Derived(names(name, "status"), (_STATUS,), partial(answering, status, change, name), ("server.",))
    if operation.success is not None and operation.success.media_type is not None:
        yield Derived(names(name, "media-type"), (_MEDIA_TYPE,), partial(answering, status, as_text, name))
