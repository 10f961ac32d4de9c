"""The sample batches of the reference server under an edited contract, made valid.

Additions are generated: new required members everywhere, new optional ones in some batches, every value of an
enum and every status of the lifecycle in some batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, pairwise
from typing import Any

from batch_conformance.contract import cached_by_contract, current_contract, parse_date_time
from batch_conformance.contract.entity import LIST, Entity, entity_of, examples_of, list_shape
from batch_conformance.contract.filters import other_filters
from batch_conformance.contract.parameter import as_sent
from batch_conformance.contract.pointers import MISSING, join, read, replaced
from batch_conformance.contract.references import types_of
from batch_conformance.contract.ruled_bodies import ruled_bodies
from batch_conformance.contract.rules import Holds
from batch_conformance.generate.kinds import Kind
from batch_conformance.generate.satisfiable import NoValidValue, of_entity
from batch_conformance.generate.space import written
from batch_conformance.generate.values import Space, values_of
from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.operations.stored import Shown, Store

#: The most batches added to the sample, since each costs the suite requests.
_MOST_MORE = 5
_NEAR = 5000

Value = dict[str, Any]


def space_of(entity: Entity) -> Space:
    """Return the value space of an entity, with the examples of its response."""
    return Space(entity.schema, entity.document, examples_of(entity))


def edited_batches() -> list[Shown]:
    """Return the sample batches, valid under the contract in use."""
    return [Shown(name, values) for name, values in _edited()]


@cached_by_contract
def _edited() -> list[tuple[str, list[Value]]]:
    sample = sample_store()
    maker = _Maker(entity_of("get"), [list(batch.payloads()) for batch in sample.batches.values()])
    named = [(maker.name(row) or name, row) for name, row in zip(maker.names(sample), maker.rows, strict=True)]
    shape = list_shape() if LIST in current_contract().operations else None
    # The list shows all batches, so there cannot be more than it may hold.
    return _listable(named[: shape.most]) if shape else named


def _listable(named: list[tuple[str, list[Value]]]) -> list[tuple[str, list[Value]]]:
    """Return the batches that may be in one list by its rules, in their first states and in their last ones.

    What stands around a list follows such rules by itself (:mod:`listed`).
    """
    body = next((one for one in ruled_bodies() if one.inner == ""), None)
    if body is None or entity_of(LIST).pointer != entity_of("get").pointer:
        return named

    def holds(rows: list[tuple[str, list[Value]]]) -> bool:
        for states in (slice(0, 1), slice(-1, None)):
            store = Store()
            for name, values in rows:
                store.add(Shown(name, values[states]))
            if body.rules.broken([one.peek() for one in store.newest_first()]):
                return False
        return True

    kept = named
    while kept and not holds(kept):
        fewer = [[*kept[:at], *kept[at + 1 :]] for at in range(len(kept))]
        kept = next(filter(holds, fewer), fewer[-1])
    return kept or named


class _Maker:
    """Makes rows: the successive values of one batch."""

    def __init__(self, entity: Entity, raws: Sequence[list[Value]]) -> None:
        self.entity = entity
        self.space = space_of(entity)
        raws = [[self._in_other_dates(entity.enclosed(value)) for value in raw] for raw in raws]
        self._known = {place for raw in raws for value in raw for place, _ in self.space.walk(value)}
        rows = (self._row(raw, number) for number, raw in enumerate(raws))
        self.rows = [row for row in rows if row]
        if not self.rows:
            raise NoValidValue(of_entity(entity) or _no_batch(entity))
        self._move()
        self._show_all()
        self._vary()
        self._set_apart()

    def names(self, sample: Store) -> list[str]:
        """Return ids for rows whose values do not contain one."""
        names = list(sample.batches)
        return [names[at] if at < len(names) else f"{names[0]}-{at}" for at in range(len(self.rows))]

    def name(self, row: list[Value]) -> str | None:
        """Return the id of a row as it appears in URLs; None where its values contain none."""
        found = read(row[0], self.entity.echo) if self.entity.echo else MISSING
        return None if found is MISSING else as_sent(found)

    def _in_other_dates(self, value: Value) -> Value:
        """Convert date-times to seconds since 1970, or to days, where the contract requires these."""
        for place, schemas in list(self.space.walk(value)):
            there = read(value, place)
            instant = parse_date_time(there) if isinstance(there, str) else ""
            layers = [schema for schema in schemas if isinstance(schema, dict)]
            kinds = {kind for schema in layers for kind in types_of(schema)}
            if isinstance(instant, str):
                continue
            if kinds & {"integer", "number"} and "string" not in kinds:
                value = replaced(value, place, instant.seconds)
            elif any(schema.get("format") == "date" for schema in layers):
                # One day per hour, since all sample batches are of the same day.
                moment = datetime.fromtimestamp(instant.seconds, UTC)
                value = replaced(value, place, (moment + timedelta(days=moment.hour)).date().isoformat())
        return value

    def _row(self, raws: list[Value], number: int) -> list[Value]:
        values: list[Value] = []
        status = self.entity.lifecycle_pointer
        before: Any = {}
        for raw in raws:
            outgrown = status and read(raw, status) not in self.entity.lifecycle.values
            if outgrown and len(raws) > 1:
                continue
            known = self.space.documented(raw)
            value = self._repaired(_changed(values[-1], before, known) if values else known)
            before = known
            if value is MISSING or not isinstance(value, dict):
                continue
            if not values and number % 2 == 0:
                value = self._with_optional(value)
            if not values or self._follows(values[-1], value):
                values.append(value)
        return values

    def _repaired(self, value: Value) -> Any:
        """Return a similar valid value, with the same id if possible."""
        made = self.space.repaired(value, self.entity.echo)
        return self.space.repaired(value) if made is MISSING else made

    def _with_optional(self, value: Value) -> Value:
        """Add the optional members that the contract without overlays does not have."""
        for place, schemas in list(self.space.walk(value)):
            there = read(value, place)
            if not isinstance(there, dict):
                continue
            applying = [one for schema in schemas for one in self.space.applying(schema, there)]
            for name in dict.fromkeys(name for one in applying for name in one.get("properties", ())):
                at = join(place, name)
                if name in there or at in self._known:
                    continue
                made = self.space.builder.value(self.space.schemas_at(value, at), full=True)
                more = MISSING if made is MISSING else self.space.repaired(replaced(value, at, made), at)
                value = value if more is MISSING else more
        return value

    def _follows(self, before: Value, after: Value) -> bool:
        """Whether a value may follow another one in successive reads."""
        entity, cycle = self.entity, self.entity.lifecycle
        if any(read(before, one) != read(after, one) for one in entity.identity):
            return False
        place = cycle.pointer
        if place:
            old, new = read(before, place), read(after, place)
            if not cycle.allowed(old, new):
                return False
            if cycle.is_final(old) and any(read(before, one) != read(after, one) for one in cycle.frozen):
                return False
        return all(isinstance(one.outcome, Holds) for one in self.space.rules.evaluate(after, before))

    def _move(self) -> None:
        """Add rows that go through statuses which no row goes through yet."""
        cycle, place = self.entity.lifecycle, self.entity.lifecycle_pointer
        moved = {written(read(value, place)) for row in self.rows if len(row) > 1 for value in row}
        unseen = [one for one in cycle.values if written(one) not in moved] if place and self.rows else []
        order = [one for equals in cycle.order for one in equals]
        ends = [one for one in unseen if cycle.is_final(one)] or [*cycle.final[:1]]
        for end in (ends or [""])[:2] if unseen else ():
            row: list[Value] = []
            for status in [*order, *([end] if end else [])]:
                base = row[-1] if row else self.rows[0][0]
                value = self.space.repaired(replaced(base, place, status), place)
                if value is not MISSING and (not row or self._follows(row[-1], value)):
                    row.append(value)
            if len(row) > 1:
                self.rows.append(row)

    def _show_all(self) -> None:
        """Make every enum value appear in some batch: in an existing one if possible, else in a new one."""
        more = 0
        for one in values_of(self.space, 300):
            # A listed value that contains the id is a whole batch, and appears anyway.
            if one.kind is not Kind.LISTED or (self.entity.echo or "").startswith(f"{one.pointer}/"):
                continue
            new = read(one.value, one.pointer)
            present = [written(read(value, one.pointer)) for row in self.rows for value in row]
            if written(new) in present:
                continue
            if one.pointer != self.entity.lifecycle_pointer and self._put(one.pointer, new):
                continue
            if more < _MOST_MORE and isinstance(one.value, dict):
                more += 1
                self.rows.append([one.value])

    def _vary(self) -> None:
        """Let batches differ in the members by which an edited contract filters lists."""
        for place in [one.filter.member for one in other_filters().values() if one.filter is not None]:
            place = self.entity.place + place
            if len({written(read(row[0], place)) for row in self.rows}) > 1:
                continue
            there = read(self.rows[0][0], place)
            others = [read(one.value, place) for one in values_of(self.space, 300) if one.pointer == place]
            for number, row in enumerate(self.rows[1::2], 1):
                # Apart, so that there are bounds between them.
                tried = chain(islice(_near(there), 3 * number, None), others)
                changed = (self._all(row, place, other) for other in tried if other != there)
                row[:] = next(filter(None, changed), row)
            for row in self.rows[2::4]:
                row[:] = self._all(row, place, None) or row

    def _put(self, place: str, new: Any) -> bool:
        """Put a value into a row whose own value also appears in others; returns whether there was one."""
        for row in reversed(self.rows):
            others = {written(read(value, place)) for other in self.rows if other is not row for value in other}
            if not all(written(read(value, place)) in others for value in row):
                continue
            changed = self._all(row, place, new)
            if changed is not None:
                row[:] = changed
                return True
        return False

    def _all(self, row: list[Value], place: str, new: Any) -> list[Value] | None:
        """Return a row with the value changed throughout; None where that is not a valid row."""
        try:
            changed = [replaced(value, place, new) for value in row]
        except KeyError:
            return None
        valid = all(self.space.is_valid(value) for value in changed)
        steps = pairwise(changed)
        return changed if valid and all(self._follows(one, other) for one, other in steps) else None

    def _set_apart(self) -> None:
        """Give each row a unique id; rows without a possible one are dropped."""
        place = self.entity.echo
        if not place:
            return
        taken: set[str] = set()
        unique_rows = []
        for row in self.rows:
            there = read(row[0], place)
            for other in chain([there], _near(there)):
                changed = self._all(row, place, other) if as_sent(other) not in taken else None
                if changed is not None:
                    taken.add(as_sent(other))
                    unique_rows.append(changed)
                    break
        self.rows = unique_rows


def _no_batch(entity: Entity) -> str:
    return (
        f"no batch of the embedded server could be made to fit {entity.pointer}; "
        "give the answer an example that fits, or name another --batch-target"
    )


def _changed(value: Any, before: Any, after: Any) -> Any:
    """Apply the difference of two values to a third one."""
    if not (isinstance(value, dict) and isinstance(before, dict) and isinstance(after, dict)):
        return after
    rows = {name: item for name, item in after.items() if name not in before or before[name] != item}
    return {
        **value,
        **{name: _changed(value.get(name), before.get(name), item) for name, item in rows.items()},
    }


def _near(value: Any) -> Iterator[Any]:
    """Yield similar values: larger numbers, or texts with other final letters and digits."""
    for number in range(1, _NEAR):
        if isinstance(value, str):
            yield _turned(value, number)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield value + number


def _turned(text: str, number: int) -> str:
    letters = list(text)
    for at in reversed(range(len(letters))):
        one = letters[at]
        alphabet = next((all_ for all_ in ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz") if one in all_), "")
        if alphabet:
            letters[at] = alphabet[(alphabet.index(one) + number) % len(alphabet)]
            number //= len(alphabet)
    return "".join(letters)
