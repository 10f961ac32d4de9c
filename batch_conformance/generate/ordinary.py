"""Ordinary values of an entity, with every documented member, and changes of them.

Made from the schema and the documented examples; examples that an overlay made invalid are repaired.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from batch_conformance.contract import Contract
from batch_conformance.contract.entity import Entity, examples_of
from batch_conformance.contract.leaves import Leaf
from batch_conformance.contract.pointers import MISSING, all_replaced, read, replaced
from batch_conformance.generate.satisfiable import NoValidValue, of_entity
from batch_conformance.generate.space import Space, is_same

_PLAIN = string.ascii_lowercase + string.digits
_ROUNDS = 4
#: Characters that are tried to find the form of an id, and the number of its positions that are varied.
_SOME = "0123456789abcdefgmxzABCFGMXZ"
_VARIED = 40


class NotInContract(Exception):
    """A hand-written value that the current contract does not document or allow."""


class Ordinary:
    """The ordinary values of one entity.

    ``drawn`` draws random members by pointer, in groups; undocumented ones are left out. Rules are evaluated
    only for an edited contract and with a CEL runtime; otherwise the places in ``ruled_places`` should not be
    changed.
    """

    def __init__(
        self, entity: Entity, contract: Contract, drawn: Callable[[random.Random], Sequence[Mapping[str, Any]]]
    ) -> None:
        self.entity = entity
        self.edited = contract.edited
        named = {f"{rule.pointer}{name}" for rule in entity.stated_rules for name in rule.names or ("",)}
        judged = bool(named) and self.edited and find_spec("cel_expr_python") is not None
        self.ruled_places: frozenset[str] = frozenset() if judged else frozenset(named)
        examples = [value for value in examples_of(entity, contract) if isinstance(value, dict | list)]
        self.space = Space(entity.schema, entity.document, examples, ruled=judged, judge=entity.judge)
        self.leaves = entity.leaves

        def placed(chance: random.Random) -> Sequence[Mapping[str, Any]]:
            rows = drawn(chance)
            return [{entity.placed(at): value for at, value in row.items()} for row in rows] if entity.place else rows

        self._drawn = placed
        base = self._fullest()
        # Clients must not depend on a member that an overlay removed.
        if self.edited:
            stripped = self.space.documented(base)
            base = stripped if self.space.is_valid(stripped) else base
        self._pointers = [tuple(group) for group in placed(random.Random(0))]
        self._pointers = list(self._applicable(base, placed(random.Random(0))))
        self.base: dict[str, Any] = self._with(base, placed(random.Random(0)))
        self._id_maker = self._fitting_id_maker()

    def value(self, chance: random.Random, batch_id: str) -> dict[str, Any]:
        """Return a new value with this id."""
        return self.with_id(self._with(self.base, self._drawn(chance)), batch_id)

    def may_have(self, batch_id: str) -> bool:
        """Whether the current contract allows this id."""
        return not self.edited or self.space.is_valid(self.with_id(self.base, batch_id))

    def id(self, chance: random.Random) -> str:
        """Return a random id of plain characters in the form that the contract requires."""
        return self._id_maker(chance)

    def with_id(self, value: Mapping[str, Any], batch_id: str) -> dict[str, Any]:
        """Return a value with this id, if the contract has a member for it."""
        changed = dict(value)
        # A faulty value may lack the parent of its id.
        with suppress(KeyError):
            if self.entity.echo:
                changed = replaced(changed, self.entity.echo, self._as_member(batch_id))
        # A value with a fault must keep it: repair valid ones only.
        if not self._id_is_ruled or self.space.is_valid(changed) or not self.space.is_valid(value):
            return changed
        made = self.space.repaired(changed, self.entity.echo)
        return made if isinstance(made, dict) else changed

    @cached_property
    def _id_is_ruled(self) -> bool:
        """Whether a rule names the id."""
        evaluated = self.space.rules.evaluate(self.base) if self.edited else ()
        return any(one.pointer + place == self.entity.echo for one in evaluated for place in one.rule.targets("self"))

    def changed(self, value: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        """Return a value with members replaced (objects merged), and adjusted so that it is valid.

        Raises :class:`NotInContract`.
        """
        made = dict(value)
        for name, given in members.items():
            pointer = f"{self.entity.place}/{name}"
            if not self.entity.has(pointer):
                raise NotInContract(f"the contract has no member {name}")
            there = read(made, pointer)
            if isinstance(given, dict) and isinstance(there, dict):
                known = {key: item for key, item in given.items() if self.entity.has(f"{pointer}/{key}")}
                if given and not known:
                    raise NotInContract(f"the contract has no such members of {name}")
                given = there | known
            made = replaced(made, pointer, given)
        if self.edited and not self.space.is_valid(made):
            return self._repaired_around(made, [f"{self.entity.place}/{name}" for name in members])
        return made

    def _repaired_around(self, value: dict[str, Any], pointers: Sequence[str]) -> dict[str, Any]:
        """Repair a value without changing these places. Raises :class:`NotInContract`."""
        for pinned in (None, *pointers):
            made = self.space.repaired(value, pinned)
            if isinstance(made, dict) and all(is_same(read(made, at), read(value, at)) for at in pointers):
                return made
        raise NotInContract(f"the contract does not allow what is given at {', '.join(pointers)}")

    def without(self, value: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return a value without an optional member. Raises :class:`NotInContract` if it is not one."""
        pointer = f"{self.entity.place}/{name}"
        made: dict[str, Any] = replaced(dict(value), pointer, MISSING)
        if not self.entity.has(pointer) or (self.edited and not self.space.is_valid(made)):
            raise NotInContract(f"the contract has no optional member {name}")
        return made

    def with_at(self, value: Mapping[str, Any], pointer: str, new: Any) -> dict[str, Any]:
        """Return a value with ``new`` at a place, repaired elsewhere. Raises :class:`NotInContract`."""
        made = self.space.repaired(replaced(dict(value), pointer, new), pointer)
        if not isinstance(made, dict):
            raise NotInContract(f"the contract does not allow this value at {pointer}")
        return made

    def _fullest(self) -> dict[str, Any]:
        whole = self.space.builder.value([self.space.schema], full=True)
        made = [value for value in [*self.space.examples, self.space.repaired(whole)] if isinstance(value, dict)]
        if not made:
            raise NoValidValue(of_entity(self.entity) or f"no value was found that fits {self.entity.pointer}")
        value = max(made, key=lambda one: sum(not leaf.empty for leaf in self.leaves.of(one)))
        for _ in range(_ROUNDS):
            filled = value
            for leaf in self.leaves.of(value):
                if leaf.empty or leaf.value == []:
                    filled = self._filled(filled, leaf)
            if filled == value:
                break
            value = filled
        return value

    def _filled(self, value: dict[str, Any], leaf: Leaf) -> dict[str, Any]:
        """Return a value with an empty place filled, if the contract allows that."""
        if read(value, leaf.pointer.rpartition("/")[0]) is MISSING:
            return value
        schemas = self.space.schemas_at(value, leaf.pointer)
        options = [self.space.builder.value(schemas, full=True)]
        options += [option.value for option in self.space.builder.variations(schemas)]
        for option in options:
            if option is MISSING or option is None or option in ([], ""):
                continue
            made = self.space.repaired(replaced(value, leaf.pointer, option), leaf.pointer)
            if isinstance(made, dict):
                return made
        return value

    def _applicable(self, base: dict[str, Any], groups: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
        """Yield, for each group of members, the pointers that the contract allows."""
        value = base
        for group in groups:
            there = {pointer: given for pointer, given in group.items() if self.entity.has(pointer)}
            made = _put(value, there)
            if there and made is not MISSING and self.space.is_valid(made):
                value = made
                yield tuple(there)
                continue
            allowed = []
            for pointer, given in there.items():
                made = _put(value, {pointer: given})
                if made is not MISSING and self.space.is_valid(made):
                    value = made
                    allowed.append(pointer)
            yield tuple(allowed)

    def _with(self, value: dict[str, Any], groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        fitting = zip(groups, self._pointers, strict=True)
        changes = {pointer: group[pointer] for group, pointers in fitting for pointer in pointers}
        changed: dict[str, Any] = all_replaced(value, changes)
        return changed

    def _as_member(self, batch_id: str) -> Any:
        """Return an id as the value of its member: a number where the contract has one."""
        echo = self.entity.echo or ""
        if isinstance(read(self.base, echo), int) and batch_id.lstrip("-").isdecimal():
            return int(batch_id)
        return batch_id

    def _fitting_id_maker(self) -> Callable[[random.Random], str]:
        echo = self.entity.echo
        operation = self.entity.operation
        parameter = operation.id_row
        example = parameter.example_text() if parameter is not None and parameter.has_example else ""
        there = str(read(self.base, echo)) if echo else ""
        prefix = example[: example.rfind("_") + 1]

        def plain(chance: random.Random) -> str:
            return prefix + "".join(chance.choices(_PLAIN, k=12))

        def number(chance: random.Random) -> str:
            return str(chance.randrange(1000, 2**31))

        def fits(made: str) -> bool:
            return echo is None or self.space.is_valid(self.with_id(self.base, made))

        makers: list[Callable[[random.Random], str]] = [
            plain,
            number,
            _uuid,
            lambda chance: _alike(example, chance),
            lambda chance: _alike(there, chance),
        ]
        for maker in makers:
            made = maker(random.Random(0))
            if made and fits(made):
                return maker
        return _position_by_position(there, fits)


def _put(value: dict[str, Any], members: Mapping[str, Any]) -> Any:
    try:
        return all_replaced(value, members)
    except KeyError:
        return MISSING


def _alike(text: str, chance: random.Random) -> str:
    """Return a text of the same form: same prefix up to the last underscore, same kinds of characters."""
    start = text.rfind("_") + 1
    kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
    made = (next((chance.choice(kind) for kind in kinds if each in kind), each) for each in text[start:])
    return text[:start] + "".join(made)


def _position_by_position(text: str, fits: Callable[[str], bool]) -> Callable[[random.Random], str]:
    """Return a maker of texts that vary the positions where several characters are valid."""
    free = []
    for at, own in enumerate(text[:_VARIED]):
        # Only a few characters of each kind, to keep this fast.
        choices = [char for char in _SOME if char == own or fits(text[:at] + char + text[at + 1 :])]
        free += [(at, choices)] if len(choices) > 1 else []

    def made(chance: random.Random) -> str:
        varied = list(text)
        for at, choices in free:
            varied[at] = chance.choice(choices)
        # Positions may depend on each other: then vary a single one.
        if not fits("".join(varied)) and free:
            at, choices = chance.choice(free)
            varied = [*text[:at], chance.choice(choices), *text[at + 1 :]]
        return "".join(varied)

    return made


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
