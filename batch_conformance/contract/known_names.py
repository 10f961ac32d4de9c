"""Detection of unknown names in ``x-lifecycle``, ``x-identity`` and ``x-member``.

Names of members or statuses that an overlay removed are ignored; a name that never existed is a mistake,
which would disable a promise without notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from batch_conformance.contract.current import base_contract
from batch_conformance.contract.document import at_pointer
from batch_conformance.contract.entity import Entity, entities, entity_of
from batch_conformance.contract.lifecycle import lifecycles
from batch_conformance.contract.operation import Contract


def unknown_names(contract: Contract) -> Iterator[str]:
    """Yield the unknown names, one line each: place and problem."""
    before = entities(base_contract())
    statuses = {one for entity in before for row in lifecycles(entity.schema, entity.document) for one in row.values}
    for entity in entities(contract):
        known = (entity, *before)
        cycles = lifecycles(entity.schema, entity.document)
        for row in cycles[1:]:
            yield f"{row.schema_pointer}: one x-lifecycle is supported, and {cycles[0].schema_pointer} is one already"
        for row in cycles:
            if not any("enum" in layer or "const" in layer for layer in entity.layers_at(row.pointer)):
                yield f"{row.schema_pointer}: x-lifecycle stands beside the enum of a status; here is none"
                continue
            raw = at_pointer(entity.document, "#" + row.schema_pointer)
            for name in ("order", "final"):
                listed = [one for each in raw.get(name, ()) for one in (each if isinstance(each, list) else [each])]
                for status in listed:
                    if status not in row.values and status not in statuses:
                        yield f"{row.schema_pointer}/{name}: {status!r} is no value of the enum beside it"
            yield from _pointers(f"{row.schema_pointer}/frozen", raw.get("frozen", []), known)
        for layer in entity.layers_at(entity.place):
            if "x-identity" in layer:
                yield from _pointers(f"{entity.pointer}/x-identity", layer["x-identity"], known)
    for operation in contract.operations.values():
        for parameter in operation.parameters:
            if parameter.member:
                where = f"{operation.pointer}/parameters: x-member of {parameter.name!r}"
                if parameter.place != "path" or parameter.name != operation.id_parameter:
                    yield f"{where} says nothing there: it stands on the path parameter that names the batch"
                    continue
                yield from _pointers(where, [parameter.member], (entity_of(operation, contract), *before))


def _pointers(where: str, given: Any, known: Sequence[Entity]) -> Iterator[str]:
    if not isinstance(given, list):
        yield f"{where}: is not an array of JSON pointers"
        return
    for one in given:
        if not isinstance(one, str) or one[:1] != "/":
            yield f"{where}: {one!r} is no JSON pointer: it begins with /"
        elif not any(entity.has(one) or entity.has(entity.place + one) for entity in known):
            yield f"{where}: {one} leads to no member that the contract has"
