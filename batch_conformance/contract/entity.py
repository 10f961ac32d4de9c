"""What a success answer of an operation holds: the batch, with its schema, rules, lifecycle and identity.

Source of facts: the schema of the first documented success answer of the (overlaid) contract, and beside it
``x-lifecycle``, ``x-identity`` and ``x-validations``; for the echo, ``x-member`` of the parameter that names the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.lifecycle import Lifecycle, lifecycles
from batch_conformance.contract.listing import ListShape, shape_in
from batch_conformance.contract.operation import Contract, MediaType, Operation, as_sent
from batch_conformance.contract.places import Place, places
from batch_conformance.contract.pointers import MISSING, join, read, split
from batch_conformance.contract.references import Document, Schema, followed, types_of
from batch_conformance.contract.rule_list import StatedRule, beside, layers, parts, stated_rules
from batch_conformance.contract.rules import RuleSet
from batch_conformance.contract.schema import SchemaJudge

__all__ = ["MISSING", "Entity", "ListShape", "entity_of", "entry_entity", "entry_id", "judge_of", "list_shape"]

#: The operation whose answers hold several entities.
LIST = "list"

#: How many objects may stand around what identifies an entity.
_DEEPEST = 3
#: So many of the required members must stand together elsewhere for an object to count as what wraps them.
_TELLING = 3


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of object that success answers hold.

    ``prefix`` is where it stands in an answer: the empty pointer, ``/*`` for the items of a list, or ``/NAME/*`` where
    the list is within an object. ``schema`` is its
    own, ``pointer`` where that stands in the ``document``. All pointers below are pointers in the entity.
    """

    operation: Operation
    document: Document
    schema: Schema
    pointer: str
    prefix: str

    @cached_property
    def _layers(self) -> list[tuple[dict[str, Any], bool]]:
        """The schemas that speak of the entity as a whole, and whether they do so on condition."""
        return list(layers(self.schema, self.document))

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The schema objects that speak of the entity as a whole: its own, those referred to, branches."""
        return [layer for layer, _ in self._layers]

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of all documented members, those included that a branch alone documents."""
        return _named_in(self.layers)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the members that every entity has."""
        names = (name for layer, maybe in self._layers if not maybe for name in layer.get("required", ()))
        return tuple(dict.fromkeys(names))

    @cached_property
    def place(self) -> str:
        """Where its own members stand: empty, or the pointer of an object in an envelope that has ``x-identity``."""
        level = [""]
        for _ in range(_DEEPEST):
            found = [at for at in level if any("x-identity" in layer for layer in self.layers_at(at))]
            if found:
                return found[0] if len(found) == 1 else ""
            rows = [(at, layer) for at in level for layer in self.layers_at(at)]
            level = list(dict.fromkeys(join(at, name) for at, layer in rows for name in layer.get("properties", ())))
        return ""

    @cached_property
    def own_members(self) -> tuple[str, ...]:
        """As :attr:`members`, of the object that stands in the envelope."""
        return _named_in(self.layers_at(self.place))

    def within(self, value: Any) -> Any:
        """Its own members in a value that may have an envelope around them; MISSING where they are not."""
        return read(value, self.place) if self.place else value

    def enclosed(self, value: Any) -> Any:
        """A value with nothing but its envelope around it."""
        for name in reversed(split(self.place)):
            value = {name: value}
        return value

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The order of its statuses; without ``x-lifecycle`` one that constrains nothing."""
        found = lifecycles(self.schema, self.document)
        cycle = found[0] if found else Lifecycle()
        return replace(cycle, frozen=tuple(map(self.placed, cycle.frozen))) if self.place else cycle

    def placed(self, pointer: str) -> str:
        """A pointer as ``x-identity`` and its like give it, as one in the entity."""
        return self.place + pointer if self.has(self.place + pointer) else pointer

    @property
    def lifecycle_pointer(self) -> str:
        """The member that moves through the lifecycle; empty without one."""
        return self.lifecycle.pointer

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Pointers of the members that never change, as far as the schema still has them (``x-identity``)."""
        listed = (self.placed(one) for layer in self.layers_at(self.place) for one in layer.get("x-identity", ()))
        return tuple(one for one in dict.fromkeys(listed) if self.has(one))

    @cached_property
    def echo(self) -> str | None:
        """The member that equals the id asked for: ``x-member`` of the parameter, else the one named like it."""
        name = self.operation.id_parameter
        parameter = next((row for row in self.operation.of_place("path") if row.name == name), None)
        if parameter is None:
            return None
        named = [one for one in (parameter.member, join("", parameter.name)) if one]
        candidates = [*named, *(self.place + one for one in named)]
        return next((one for one in candidates if self.has(one)), None)

    @cached_property
    def places(self) -> list[Place]:
        """Every keyword at every place of the entity."""
        return places(self.schema, self.document)

    @cached_property
    def judge(self) -> SchemaJudge:
        """Judges one entity by its schema."""
        return SchemaJudge(self.schema, self.document)

    @cached_property
    def stated_rules(self) -> list[StatedRule]:
        """Its rules as data, those included that name what the schema no longer has. Needs no CEL runtime."""
        return stated_rules(self.schema, self.document)

    @cached_property
    def rules(self) -> RuleSet:
        """Its rules. Raises ``RuleError``; where there are rules and no CEL runtime, ``RuntimeMissing``."""
        return RuleSet(self.schema, self.document)

    def has(self, pointer: str) -> bool:
        """Whether the schema documents a place (``*`` stands for any item or member of a map)."""
        return bool(self.at(pointer))

    def at(self, pointer: str) -> Sequence[Schema]:
        """The schemas that are documented for a place."""
        return self._at(pointer)

    @cached_property
    def _at(self) -> Callable[[str], Sequence[Schema]]:
        @lru_cache(4096)
        def at(pointer: str) -> Sequence[Schema]:
            nodes: list[Schema] = [self.schema]
            for part in split(pointer):
                nodes = [inner for node in nodes for inner in parts(node, self.document, part)]
            return nodes

        return at

    def layers_at(self, pointer: str) -> Sequence[dict[str, Any]]:
        """The schema objects that speak of a place: those documented for it, what they refer to, their branches."""
        return self._layers_at(pointer)

    @cached_property
    def _layers_at(self) -> Callable[[str], Sequence[dict[str, Any]]]:
        @lru_cache(4096)
        def layers_at(pointer: str) -> Sequence[dict[str, Any]]:
            return [layer for schema in self.at(pointer) for layer in beside(schema, self.document)]

        return layers_at

    def value_at(self, value: Any, pointer: str) -> Any:
        """The value at a pointer of an entity, or MISSING."""
        return read(value, pointer)

    def id_at(self, value: Any, pointer: str) -> str | None:
        """An id as it stands in a URL: a text, or a number where it is documented as one; None for what is none."""
        found = read(value, pointer)
        if isinstance(found, str):
            return found
        kinds = {kind for layer in self.layers_at(pointer) for kind in types_of(layer)}
        return as_sent(found) if type(found) is int and kinds & {"integer", "number"} else None

    def state_of(self, value: Any) -> str | None:
        """The documented status that an entity is in; None where it has none."""
        cycle = self.lifecycle
        found = read(value, cycle.pointer) if cycle.pointer else MISSING
        return found if isinstance(found, str) and found in cycle.values else None

    def looks_like(self, value: Any) -> bool:
        """Whether a JSON value is such an object: it has a documented member, and is no wrapper of one."""
        names = frozenset(self.required or self.members)
        if self.place:
            inner = self.within(value)
            return isinstance(inner, dict) and not inner.keys().isdisjoint(self.own_members)
        if not isinstance(value, dict) or (names and names.isdisjoint(value)):
            return False
        # A wrapper may keep the id outside: the entity is where most of its members are.
        inner = [item for item in value.values() if isinstance(item, dict)]
        enough = min(_TELLING, len(names))
        return not enough or not any(len(names & item.keys() - value.keys()) >= enough for item in inner)


def _named_in(layers: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the members that schema objects document, each once."""
    names = (name for layer in layers for name in (*layer.get("properties", ()), *layer.get("required", ())))
    return tuple(dict.fromkeys(names))


def entity_of(operation: Operation | str, contract: Contract | None = None) -> Entity:
    """What the success answers of an operation hold, by the contract in use unless another one is given.

    An operation is given by itself or by its name. Raises ``NoSuchOperation``.
    """
    name = operation if isinstance(operation, str) else operation.name
    return (contract or current_contract()).kept(("entity", name), lambda given: _entity(given, name))


def examples_of(entity: Entity, contract: Contract | None = None) -> list[Any]:
    """What the documented examples of an answer show of an entity; its envelope is put around what lacks it."""
    success = entity.operation.success
    media = success.media_type if success else None
    shown = list(media.examples.values()) if media else []
    if entity.prefix:
        shape = list_shape(contract)
        return [one for example in shown for one in ((shape.entries(example) or []) if shape else [example])]
    return [one if entity.within(one) is not MISSING else entity.enclosed(one) for one in shown]


def entities(contract: Contract, *, errors: bool = False) -> list[Entity]:
    """What the success answers of all operations hold, of each media type, each once; with ``errors``, all answers."""
    found = [
        entity_in(operation, media, contract)
        for operation in contract.operations.values()
        for key, answer in operation.answers.items()
        if errors or key.startswith("2")
        for media in answer.media_types.values()
    ]
    return list({entity.pointer: entity for entity in found}.values())


def judge_of(media: MediaType, contract: Contract | None = None) -> SchemaJudge:
    """Judges a whole body of one documented kind, by the contract in use unless another one is given."""
    return (contract or current_contract()).kept(
        ("judge", media.pointer), lambda given: SchemaJudge(media.schema, given.document.content)
    )


def _entity(contract: Contract, name: str) -> Entity:
    operation = contract.operation(name)
    success = operation.success
    return entity_in(operation, success.media_type if success else None, contract)


def entity_in(operation: Operation, media: MediaType | None, contract: Contract) -> Entity:
    """What a body of one documented kind holds: itself, or where it is a list, its entries."""
    document = contract.document.content
    shape = shape_in(contract.document, media) if operation.name == LIST else None
    if shape is not None:
        return Entity(operation, document, shape.items, shape.pointer, f"{shape.place}/*")
    schema: Schema = media.schema if media else True
    pointer, prefix = (media.pointer if media else ""), ""
    while True:
        schema, pointer = followed(schema, pointer, document)
        if prefix or not isinstance(schema, dict) or not isinstance(schema.get("items"), dict):
            return Entity(operation, document, schema, pointer, prefix)
        schema, pointer, prefix = schema["items"], join(pointer, "items"), "/*"


def list_shape(contract: Contract | None = None) -> ListShape | None:
    """The shape of List's answer, by the contract in use unless another one is given; None without a list in it.

    Raises ``NoSuchOperation``.
    """
    return (contract or current_contract()).kept("list shape", _list_shape)


def _list_shape(contract: Contract) -> ListShape | None:
    success = contract.operation(LIST).success
    return shape_in(contract.document, success.media_type if success else None)


class _Entry(Entity):
    """An entry of a list with a schema of its own: its id is the one that Get Batch would be asked for."""

    @cached_property
    def echo(self) -> str | None:
        """The member that is the id."""
        return entry_id() if self.has(entry_id()) else None


def entry_entity(contract: Contract | None = None) -> Entity:
    """What an entry of a list is to who reads it: Get Batch's entity, unless entries have another schema.

    Raises ``NoSuchOperation``.
    """
    return (contract or current_contract()).kept("entry", _entry_entity)


def _entry_entity(contract: Contract) -> Entity:
    one = entity_of(LIST, contract)
    get = contract.operations.get("get")
    if get is not None and entity_of(get, contract).pointer == one.pointer:
        return entity_of(get, contract)
    return _Entry(one.operation, one.document, one.schema, one.pointer, one.prefix)


def entry_id(contract: Contract | None = None) -> str:
    """Where an entry of a list has its id: where Get Batch's answer has it, else the first member of its identity."""
    return (contract or current_contract()).kept("entry id", _entry_id)


def _entry_id(contract: Contract) -> str:
    entry = entity_of(LIST, contract) if LIST in contract.operations else None
    get = next((row for row in contract.operations.values() if row.id_parameter and row.name != LIST), None)
    asked = entity_of(get, contract) if get else entry
    echo = asked.echo if asked else None
    if asked and echo and entry and entry.has(echo.removeprefix(asked.place)):
        return echo.removeprefix(asked.place)
    if echo and entry is None:
        return echo
    return next(iter(entry.identity if entry else ()), echo or "/id")
