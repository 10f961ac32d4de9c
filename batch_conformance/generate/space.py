"""The values of one schema: applicable subschemas, validation, repair of invalid values."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations, islice, product
from typing import Any

from batch_conformance.contract.applying import Applying
from batch_conformance.contract.cel_values import parts
from batch_conformance.contract.numbers import is_number, same
from batch_conformance.contract.pointers import MISSING, join, read, replaced, split
from batch_conformance.contract.references import Document, Schema
from batch_conformance.contract.rules import Broken, Evaluation, Holds, RuleSet
from batch_conformance.contract.schema import SchemaJudge, Violation
from batch_conformance.generate.building import Builder

_ROUNDS = 8
_MOST_TRIES = 400
_OPTIONS = 12


class Space:
    """The values of one schema of a document, with all its rules. Raises SchemaError and RuleError.

    ``examples`` are the valid ones of those given, then the others, repaired. Without ``ruled``, rules are
    ignored and not compiled. ``judge`` is an existing validator of this schema.
    """

    def __init__(
        self,
        schema: Schema,
        document: Document,
        examples: Sequence[Any] = (),
        *,
        ruled: bool = True,
        judge: SchemaJudge | None = None,
    ) -> None:
        self.schema = schema
        self.document = document
        self.judge = judge or SchemaJudge(schema, document)
        self.rules = RuleSet(schema if ruled else True, document)
        self.builder = Builder(document)
        self._applying = Applying(document)
        #: Cache of generated values, by parameters.
        self.generated: dict[Hashable, list[Any]] = {}
        self.examples = [value for value in examples if self.is_valid(value)]
        # An example that an overlay made invalid is repaired: it is more realistic than a generated value.
        repaired = [self.repaired(value) for value in examples if not self.is_valid(value)]
        self.examples += [value for value in repaired if value is not MISSING]

    def is_valid(self, value: Any) -> bool:
        """Whether a value is valid by the schema and every rule on a single read."""
        return self.judge.is_valid(value) and self.keeps_rules(value)

    def keeps_rules(self, value: Any) -> bool:
        """Whether every rule holds; a rule that cannot be evaluated does not."""
        return all(isinstance(one.outcome, Holds) for one in self.rules.evaluate(value))

    def walk(self, value: Any) -> Iterator[tuple[str, list[Schema]]]:
        """Yield every place of a value with its schemas; of items with the same schema, the first only."""
        yield from self._walk(value, [self.schema], "")

    def _walk(self, value: Any, schemas: list[Schema], pointer: str) -> Iterator[tuple[str, list[Schema]]]:
        yield pointer, schemas
        applying = [one for schema in schemas for one in self.applying(schema, value)]
        prefix = max((len(one.get("prefixItems", ())) for one in applying), default=0)
        rows = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
        if isinstance(value, list):
            rows = rows[: prefix + 1]
        for key, item in rows:
            below = parts(applying, key)
            if below:
                yield from self._walk(item, below, join(pointer, key))

    def applying(self, schema: Schema, value: Any) -> Iterator[dict[str, Any]]:
        """Yield a schema and its subschemas that apply to a value."""
        return self._applying.to(schema, value)

    def fits(self, schema: Schema, value: Any) -> bool:
        """Whether a value is valid by a schema of the same document."""
        return self._applying.fits(schema, value)

    def schemas_at(self, value: Any, pointer: str) -> list[Schema]:
        """Return the schemas that apply at a place of a value, present or not."""
        schemas: list[Schema] = [self.schema]
        for part in split(pointer):
            applying = [one for schema in schemas for one in self.applying(schema, value)]
            key: str | int = int(part) if isinstance(value, list) and part.isdecimal() else part
            schemas = parts(applying, key)
            value = read(value, join("", part))
        return schemas

    def documented(self, value: Any) -> Any:
        """Return a value without its undocumented members."""
        for place, _ in list(_everything(value)):
            if place and read(value, place) is not MISSING and not self.schemas_at(value, place):
                value = replaced(value, place, MISSING)
        return value

    def repaired(self, value: Any, pinned: str | None = None, fault: Violation | None = None) -> Any:
        """Return a similar valid value, or MISSING. The value at ``pinned`` is kept.

        With ``fault``, that violation is kept too, and rules that cannot be evaluated are accepted.
        """
        rounds, fewest = _ROUNDS, None
        while rounds:
            wrong = [one for one in self.judge.violations(value) if not _is_fault(one, fault)]
            # Only rounds without progress count.
            rounds -= not wrong or (fewest is not None and len(wrong) >= fewest)
            fewest = len(wrong) if fewest is None else min(fewest, len(wrong))
            if wrong:
                value = self._without_violation(value, wrong[0], pinned)
            else:
                broken = [one for one in self.rules.evaluate(value) if not _is_accepted(one, fault)]
                if not broken:
                    return value
                value = self._satisfying(value, broken[0], pinned, fault)
            if value is MISSING:
                return MISSING
        return MISSING

    def _without_violation(self, value: Any, wrong: Violation, pinned: str | None) -> Any:
        """Return a value without one violation, or MISSING."""
        if pinned is not None and (wrong.pointer == pinned or pinned.startswith(wrong.pointer + "/")):
            return MISSING if wrong.pointer == pinned else self._replaced_around(value, wrong, pinned)
        if wrong.code in ("additionalProperties", "unevaluatedProperties", "false", "propertyNames"):
            return replaced(value, wrong.pointer, MISSING)
        options = [read(example, wrong.pointer) for example in self.examples]
        options += self._options_at(value, wrong.pointer)
        for option in options:
            if option is MISSING:
                continue
            changed = replaced(value, wrong.pointer, option)
            if not any(_is_fault(one, wrong) for one in self.judge.violations(changed)):
                return changed
        # Try without the member.
        removed = replaced(value, wrong.pointer, MISSING) if wrong.pointer else MISSING
        codes = {one.code for one in self.judge.violations(removed) if one.pointer == wrong.pointer}
        return MISSING if removed is MISSING or codes else removed

    def _replaced_around(self, value: Any, wrong: Violation, pinned: str) -> Any:
        """Replace a container of the pinned place, keeping the pinned value; MISSING if impossible."""
        pinned_value = read(value, pinned)
        for option in self._options_at(value, wrong.pointer):
            changed = replaced(value, wrong.pointer, option)
            try:
                changed = replaced(changed, pinned, pinned_value)
            except KeyError:
                continue
            if not any(_is_fault(one, wrong) for one in self.judge.violations(changed)):
                return changed
        return MISSING

    def _options_at(self, value: Any, pointer: str) -> list[Any]:
        schemas = self.schemas_at(value, pointer)
        made = [self.builder.value(schemas), self.builder.value(schemas, full=True)]
        return [*made, *(option.value for option in self.builder.variations(schemas)[:40])]

    def _satisfying(self, value: Any, one: Evaluation, pinned: str | None, fault: Violation | None) -> Any:
        """Change places that a rule names until it holds; MISSING if no change works."""
        for changed in self.changed_for(value, one, pinned):
            inner = read(changed, one.pointer)
            if inner is MISSING or not one.rule.holds(inner):
                continue
            if all(_is_fault(found, fault) for found in self.judge.violations(changed)):
                return changed
        return MISSING

    def changed_for(self, value: Any, one: Evaluation, pinned: str | None, root: str = "self") -> Iterator[Any]:
        """Yield variants of a value, changed at one or several places that a rule names below a root."""
        places = [one.pointer + target for target in one.rule.targets(root)]
        places += [
            below
            for place in places
            if isinstance(read(value, place), dict | list)
            for below, _ in self.walk(value)
            if below.startswith(place + "/")
        ]
        free = [p for p in dict.fromkeys(places) if pinned is None or not _touches(p, pinned)][:8]
        literals = one.rule.literals()
        known: dict[str, list[Any]] = {}

        def options(place: str) -> list[Any]:
            if place not in known:
                known[place] = self.options_for(value, place, [*free, pinned or ""], literals)
            return known[place]

        yield from islice(self._changes(value, free, options), _MOST_TRIES)

    def _changes(self, value: Any, free: list[str], options: Callable[[str], list[Any]]) -> Iterator[Any]:
        for size in range(1, len(free) + 1):
            for chosen in combinations(free, size):
                few = _OPTIONS * 3 if size == 1 else _OPTIONS if size == 2 else 6
                for picked in product(*(options(place)[:few] for place in chosen)):
                    changed = value
                    try:
                        for place, option in zip(chosen, picked, strict=True):
                            changed = replaced(changed, place, option)
                    except KeyError:
                        continue
                    yield changed

    def options_for(self, value: Any, place: str, others: list[str], literals: list[Any]) -> list[Any]:
        """Return values to try at a place: numbers from elsewhere, their sums, lengths, literals, variations."""
        elsewhere = [read(value, other) for other in others]
        numbers = [one for one in elsewhere if is_number(one)]
        found: list[Any] = []
        current = read(value, place)
        if not isinstance(current, dict | list):
            free = current is None or current is MISSING
            found += [literal for literal in literals if free or type(literal) is type(current)]
        if isinstance(current, str):
            found += [one for one in elsewhere if isinstance(one, str) and one][:4]
        if is_number(current):
            found += [near for number in literals if is_number(number) for near in (number, number - 1, number + 1)]
            rest = [number for number in numbers if number is not current]
            total = sum(rest)
            found += [len(one) for one in elsewhere if isinstance(one, list)]
            found += [0, *rest[:4], total, current - 1, current + 1, total + 1, 1, max(rest, default=0) * 2]
        found += [read(example, place) for example in self.examples]
        found += self._options_at(value, place)
        if place:
            found.append(MISSING)
        return distinct(found, current)


def _everything(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    yield place, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _everything(item, join(place, name))


def _touches(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _is_fault(found: Violation, fault: Violation | None) -> bool:
    return fault is not None and (found.code, found.pointer) == (fault.code, fault.pointer)


def _is_accepted(one: Evaluation, fault: Violation | None) -> bool:
    return not isinstance(one.outcome, Broken) if fault else isinstance(one.outcome, Holds)


def distinct(values: Sequence[Any], without: Any = MISSING) -> list[Any]:
    """Return the distinct values in order, except the one given."""
    seen = {written(without)}
    found = []
    for value in values:
        key = written(value)
        if key not in seen:
            seen.add(key)
            found.append(value)
    return found


def written(value: Any) -> str:
    """Return a value as a key: the same text for equal JSON."""
    return "" if value is MISSING else json.dumps(value, sort_keys=True, ensure_ascii=False)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal, or both missing."""
    return (one is MISSING and other is MISSING) or (MISSING not in (one, other) and same(one, other))
