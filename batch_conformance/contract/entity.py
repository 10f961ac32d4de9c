"""The entity in a success answer: the batch, with its schema, rules, lifecycle and identity.

Read from the schema of the first documented success answer of the (overlaid) contract, with its
``x-lifecycle``, ``x-identity`` and ``x-validations``; the echo from ``x-member`` of the parameter that names
the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.leaves import Leaves
from batch_conformance.contract.lifecycle import Lifecycle, lifecycles
from batch_conformance.contract.listing import ListShape, shape_in
from batch_conformance.contract.operation import Contract, MediaType, Operation
from batch_conformance.contract.parameter import as_sent
from batch_conformance.contract.places import Place, places
from batch_conformance.contract.pointers import MISSING, join, read, split
from batch_conformance.contract.references import Document, Schema, followed, types_of
from batch_conformance.contract.rule_list import StatedRule, beside, layers, parts, stated_rules
from batch_conformance.contract.rules import RuleSet
from batch_conformance.contract.schema import SchemaJudge

__all__ = ["MISSING", "Entity", "ListShape", "entity_of", "entry_entity", "entry_id", "judge_of", "list_shape"]

#: The operation whose answers hold several entities.
LIST = "list"

#: Deepest envelope that is searched for ``x-identity``, in objects.
_DEEPEST = 3
#: An object is a wrapper if an object in it has so many of the required members that it lacks itself.
_WRAPPED_MEMBERS = 3


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of object that success answers hold.

    ``prefix`` is its place in an answer: empty, ``/*`` for the items of a list, or ``/NAME/*`` where the list
    is within an object. ``schema`` is its schema, ``pointer`` the place of that in ``document``. Pointers in
    the properties and methods below are relative to the entity.
    """

    operation: Operation
    document: Document
    schema: Schema
    pointer: str
    prefix: str

    @cached_property
    def _layers(self) -> list[tuple[dict[str, Any], bool]]:
        """The schema objects that apply to the entity as a whole, each with whether it is conditional."""
        return list(layers(self.schema, self.document))

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The schema objects that apply to the entity as a whole: its own, referenced ones, branches."""
        return [layer for layer, _ in self._layers]

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of all documented members, including those documented in a branch only."""
        return _member_names(self.layers)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the members that are required unconditionally."""
        names = (name for layer, maybe in self._layers if not maybe for name in layer.get("required", ()))
        return tuple(dict.fromkeys(names))

    @cached_property
    def place(self) -> str:
        """Pointer of its own members: empty, or the object within an envelope that has ``x-identity``."""
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
        """Names of the documented members of the object at :attr:`place`."""
        return _member_names(self.layers_at(self.place))

    def within(self, value: Any) -> Any:
        """Return the entity within a value that may have an envelope; MISSING where it is absent."""
        return read(value, self.place) if self.place else value

    def enclosed(self, value: Any) -> Any:
        """Return a value wrapped in the bare envelope."""
        for name in reversed(split(self.place)):
            value = {name: value}
        return value

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """Its lifecycle; without ``x-lifecycle`` one that constrains nothing."""
        found = lifecycles(self.schema, self.document)
        cycle = found[0] if found else Lifecycle()
        return replace(cycle, frozen=tuple(map(self.placed, cycle.frozen))) if self.place else cycle

    def placed(self, pointer: str) -> str:
        """Return a pointer from ``x-identity`` or ``frozen`` as one in the entity, envelope included."""
        return self.place + pointer if self.has(self.place + pointer) else pointer

    @property
    def lifecycle_pointer(self) -> str:
        """Pointer of the member that holds the status; empty without a lifecycle."""
        return self.lifecycle.pointer

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Pointers of the members that never change (``x-identity``) and still exist in the schema."""
        listed = (self.placed(one) for layer in self.layers_at(self.place) for one in layer.get("x-identity", ()))
        return tuple(one for one in dict.fromkeys(listed) if self.has(one))

    @cached_property
    def echo(self) -> str | None:
        """Pointer of the member that repeats the requested id: ``x-member``, else named as the parameter."""
        name = self.operation.id_parameter
        parameter = next((row for row in self.operation.of_place("path") if row.name == name), None)
        if parameter is None:
            return None
        named = [one for one in (parameter.member, join("", parameter.name)) if one]
        candidates = [*named, *(self.place + one for one in named)]
        return next((one for one in candidates if self.has(one)), None)

    @cached_property
    def places(self) -> list[Place]:
        """Every place and keyword of the entity's schema."""
        return places(self.schema, self.document)

    @cached_property
    def leaves(self) -> Leaves:
        """Lists the documented places of one entity's values."""
        return Leaves(self.schema, self.document, self.lifecycle_pointer, self.echo)

    @cached_property
    def judge(self) -> SchemaJudge:
        """Validator of one entity by its schema."""
        return SchemaJudge(self.schema, self.document)

    @cached_property
    def stated_rules(self) -> list[StatedRule]:
        """Its rules as data, including those on members that were removed. Needs no CEL runtime."""
        return stated_rules(self.schema, self.document)

    @cached_property
    def rules(self) -> RuleSet:
        """Its compiled rules. Raises ``RuleError``, or ``RuntimeMissing`` for rules without a CEL runtime."""
        return RuleSet(self.schema, self.document)

    def has(self, pointer: str) -> bool:
        """Whether the schema documents a place (``*`` stands for any item or member of a map)."""
        return bool(self.at(pointer))

    def at(self, pointer: str) -> Sequence[Schema]:
        """Return the schemas that are documented for a place."""
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
        """Return the schema objects that apply to a place: documented ones, referenced ones, branches."""
        return self._layers_at(pointer)

    @cached_property
    def _layers_at(self) -> Callable[[str], Sequence[dict[str, Any]]]:
        @lru_cache(4096)
        def layers_at(pointer: str) -> Sequence[dict[str, Any]]:
            return [layer for schema in self.at(pointer) for layer in beside(schema, self.document)]

        return layers_at

    def value_at(self, value: Any, pointer: str) -> Any:
        """Return the value at a pointer of an entity, or MISSING."""
        return read(value, pointer)

    def id_at(self, value: Any, pointer: str) -> str | None:
        """Return an id as in a URL: a string, or a number where documented as one; None for anything else."""
        found = read(value, pointer)
        if isinstance(found, str):
            return found
        kinds = {kind for layer in self.layers_at(pointer) for kind in types_of(layer)}
        return as_sent(found) if type(found) is int and kinds & {"integer", "number"} else None

    def state_of(self, value: Any) -> str | None:
        """Return the documented status of an entity; None where it has none."""
        cycle = self.lifecycle
        found = read(value, cycle.pointer) if cycle.pointer else MISSING
        return found if isinstance(found, str) and found in cycle.values else None

    def looks_like(self, value: Any) -> bool:
        """Whether a JSON value is such an object: it has a documented member and is not a wrapper of one."""
        names = frozenset(self.required or self.members)
        if self.place:
            inner = self.within(value)
            return isinstance(inner, dict) and not inner.keys().isdisjoint(self.own_members)
        if not isinstance(value, dict) or (names and names.isdisjoint(value)):
            return False
        # A wrapper may have the id itself: the entity is the object with most of the members.
        inner = [item for item in value.values() if isinstance(item, dict)]
        enough = min(_WRAPPED_MEMBERS, len(names))
        return not enough or not any(len(names & item.keys() - value.keys()) >= enough for item in inner)


def _member_names(layers: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the distinct names of the members that schema objects document."""
    names = (name for layer in layers for name in (*layer.get("properties", ()), *layer.get("required", ())))
    return tuple(dict.fromkeys(names))


def entity_of(operation: Operation | str, contract: Contract | None = None) -> Entity:
    """Return the entity of an operation's success answers, by the current contract by default.

    Raises ``NoSuchOperation``.
    """
    name = operation if isinstance(operation, str) else operation.name
    return (contract or current_contract()).cached(("entity", name), lambda given: _entity(given, name))


def examples_of(entity: Entity, contract: Contract | None = None) -> list[Any]:
    """Return the entities in the documented examples of an answer; a missing envelope is added."""
    success = entity.operation.success
    media = success.media_type if success else None
    examples = list(media.examples.values()) if media else []
    if entity.prefix:
        shape = list_shape(contract)
        return [one for example in examples for one in ((shape.entries(example) or []) if shape else [example])]
    return [one if entity.within(one) is not MISSING else entity.enclosed(one) for one in examples]


def entities(contract: Contract, *, errors: bool = False) -> list[Entity]:
    """Return the distinct entities of all success answers; with ``errors``, of all answers."""
    found = [
        entity_in(operation, media, contract)
        for operation in contract.operations.values()
        for key, answer in operation.answers.items()
        if errors or key.startswith("2")
        for media in answer.media_types.values()
    ]
    return list({entity.pointer: entity for entity in found}.values())


def judge_of(media: MediaType, contract: Contract | None = None) -> SchemaJudge:
    """Return the validator of a whole body of a documented media type, by the current contract by default."""
    return (contract or current_contract()).cached(
        ("judge", media.pointer), lambda given: SchemaJudge(media.schema, given.document.content)
    )


def _entity(contract: Contract, name: str) -> Entity:
    operation = contract.operation(name)
    success = operation.success
    return entity_in(operation, success.media_type if success else None, contract)


def entity_in(operation: Operation, media: MediaType | None, contract: Contract) -> Entity:
    """Return the entity of a body of a documented media type: the body itself, or the entries of a list."""
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
    """Return the shape of List's answer, by the current contract by default; None if it holds no list.

    Raises ``NoSuchOperation``.
    """
    return (contract or current_contract()).cached("list shape", _list_shape)


def _list_shape(contract: Contract) -> ListShape | None:
    success = contract.operation(LIST).success
    return shape_in(contract.document, success.media_type if success else None)


class _Entry(Entity):
    """An entry of a list with a schema of its own; its id is the one to request from Get Batch."""

    @cached_property
    def echo(self) -> str | None:
        """Pointer of the member that holds the id."""
        return entry_id() if self.has(entry_id()) else None


def entry_entity(contract: Contract | None = None) -> Entity:
    """Return the entity of a list's entries: Get Batch's entity, unless entries have another schema.

    Raises ``NoSuchOperation``.
    """
    return (contract or current_contract()).cached("entry", _entry_entity)


def _entry_entity(contract: Contract) -> Entity:
    one = entity_of(LIST, contract)
    get = entity_of("get", contract)
    if get.pointer == one.pointer:
        return get
    return _Entry(one.operation, one.document, one.schema, one.pointer, one.prefix)


def entry_id(contract: Contract | None = None) -> str:
    """Return the pointer of the id in a list's entry: as in Get Batch's answer, else by ``x-identity``."""
    return (contract or current_contract()).cached("entry id", _entry_id)


def _entry_id(contract: Contract) -> str:
    entry = entity_of(LIST, contract) if LIST in contract.operations else None
    entity = entity_of("get", contract)
    echo = entity.echo
    if echo and entry and entry.has(echo.removeprefix(entity.place)):
        return echo.removeprefix(entity.place)
    if echo and entry is None:
        return echo
    return next(iter(entry.identity if entry else ()), echo or "/id")
