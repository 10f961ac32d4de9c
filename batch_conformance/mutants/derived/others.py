"""Single-fault servers for all operations but Get Batch and List Batches, derived from their success answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.operation import Operation
from batch_conformance.mutants.derived.answering import answering, as_text, with_body, with_fault, with_status
from batch_conformance.mutants.derived.bodies import Found, in_bodies, in_rules
from batch_conformance.mutants.derived.names import Derived, Names
from batch_conformance.reference.edited import space_of
from batch_conformance.reference.server import Answer, ReferenceServer

_STATUS, _MEDIA_TYPE = "server.ok.status", "server.ok.media-type"
#: Successes; the first of these that is not documented is used as an undocumented one.
_SUCCESSES = (202, 203, 226)


def faults_of_others() -> Found:
    """Yield servers with one fault in the success answers of each other operation."""
    for operation in current_contract().operations.values():
        if operation.name not in ("get", LIST):
            yield from _in_success(operation)


def _in_success(operation: Operation) -> Found:
    name, entity, names = operation.name, entity_of(operation.name), Names(operation.name)
    space = space_of(entity)

    def changed(change: Callable[[Answer], Answer]) -> Callable[[], ReferenceServer]:
        return partial(answering, operation.success_status, change, name)

    yield from in_bodies(
        entity, space, names, lambda fault: changed(partial(with_fault, faulty=fault.value, base=fault.base))
    )
    yield from in_rules(entity, space, names, lambda fault: changed(partial(with_body, body=fault.value)))
    other = next((one for one in _SUCCESSES if not operation.documents(one)), None)
    if other is not None:
        yield Derived(names("", "status"), (_STATUS,), changed(partial(with_status, status=other)), ("server.",))
    if operation.success is not None and operation.success.media_type is not None:
        yield Derived(names("", "media-type"), (_MEDIA_TYPE,), changed(as_text))
