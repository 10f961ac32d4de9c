"""Names and values that give a batch away in a response, since nothing but a batch has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_conformance.contract import cached_by_contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.pointers import join, split
from batch_conformance.contract.statuses import error_body
from batch_conformance.http.sensitive import TELLING


def telling_names(value: Any, operation: str) -> Iterator[str]:
    """Yield names of a batch's members anywhere in a JSON value.

    That of its status is only yielded with one of the documented statuses as its value.
    """
    entity, names = entity_of(operation), _names(operation)
    moving = split(entity.lifecycle_pointer)[-1:] if entity.lifecycle_pointer else ()
    if isinstance(value, Mapping):
        for name, item in value.items():
            status = name in moving and isinstance(item, str) and item in entity.lifecycle.values
            if status or name in names:
                yield name
            yield from telling_names(item, operation)
    elif isinstance(value, list):
        for item in value:
            yield from telling_names(item, operation)


@cached_by_contract
def _names(operation: str) -> frozenset[str]:
    """Return names of a batch's members, at any depth, that no error has and that are no everyday words."""
    entity, errors = entity_of(operation), error_body(operation)
    if entity.schema is True or not isinstance(entity.schema, dict):
        return frozenset()
    taken = set(errors.members) if errors else set()
    pointers = [place.pointer for place in entity.places if place.pointer]
    found = {split(one)[-1]: one for one in pointers if split(one)[-1] != "*"}
    apart = {split(one)[-1] for one in (entity.echo, entity.lifecycle_pointer) if one}
    apart |= set(split(entity.place))
    return frozenset(
        name for name, one in found.items() if name not in taken | apart and (_is_own(name) or _holds(entity, one))
    )


def _is_own(name: str) -> bool:
    """Whether a name is made of several words; a single word may occur in any error."""
    return not (name.isascii() and name.isalpha() and (name.islower() or name.isupper()))


def _holds(entity: Entity, pointer: str) -> bool:
    """Whether a member is an object or an array, whose name is telling even if it is a single word."""
    below = any(place.pointer.startswith(f"{pointer}/") for place in entity.places)
    return below or any(
        isinstance(schema, dict) and schema.get("type") in ("object", "array") for schema in entity.at(pointer)
    )


def telling_values(batch: Mapping[str, Any], operation: str) -> Iterator[str]:
    """Yield strings of a batch that do not occur elsewhere by chance: not its id, no enum or const."""
    entity = entity_of(operation)
    for pointer, value in _texts(batch, ""):
        if pointer == entity.echo or len(value) < TELLING:
            continue
        schemas = entity.at(pointer)
        named = any(isinstance(one, dict) and ("enum" in one or "const" in one) for one in schemas)
        if schemas and not named:
            yield value


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, join(at, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, join(at, str(number)))
