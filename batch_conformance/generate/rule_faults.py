"""Generation of values, and pairs of reads, that break one rule and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from batch_conformance.contract.lifecycle import Lifecycle, lifecycles
from batch_conformance.contract.pointers import MISSING, expand, read, replaced
from batch_conformance.contract.references import Document, Schema
from batch_conformance.contract.rules import Evaluation, Holds, Rule
from batch_conformance.generate.building import short
from batch_conformance.generate.space import Space, is_same, written
from batch_conformance.generate.strategy import strategy_of, unruled
from batch_conformance.generate.valid import values_of

_BASES = 40
#: Number of bases that are changed place by place.
_CHANGED = 12
_TRIES = 4000
#: Number of values breaking several rules that are repaired.
_MAX_REPAIRED = 20


@dataclass(frozen=True)
class RuleFault:
    """A value that breaks one rule and nothing else; ``before`` is the earlier read of a transition.

    ``code`` is the rule's, or ``lifecycle``. ``pointer`` is the place of the rule's schema in the value (of
    the enum, for a lifecycle); ``values`` are those that the rule names. ``before`` is MISSING where there is
    one read.
    """

    value: Any
    before: Any
    code: str
    pointer: str
    schema_pointer: str
    label: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RuleFaults:
    """The faults that were found, and the pointers of rules without any."""

    faults: tuple[RuleFault, ...]
    unreachable: tuple[str, ...]

    def __iter__(self) -> Iterator[RuleFault]:
        return iter(self.faults)

    def __len__(self) -> int:
        return len(self.faults)


def rule_faults(schema: Schema, document: Document, *, examples: Sequence[Any] = (), most: int = 3) -> RuleFaults:
    """Return up to ``most`` values for each rule on a single read that break it alone. Deterministic.

    The values are valid by the schema. Raises SchemaError and RuleError.
    """
    return rule_faults_of(Space(schema, document, examples), most=most)


def transition_faults(schema: Schema, document: Document, *, examples: Sequence[Any] = (), most: int = 3) -> RuleFaults:
    """Return pairs of valid reads that break one transition rule, or a lifecycle.

    For a lifecycle there is one pair for every forbidden transition. Raises SchemaError and RuleError.
    """
    return transition_faults_of(Space(schema, document, examples), most=most)


def rule_faults_of(space: Space, *, most: int = 3) -> RuleFaults:
    """Return as :func:`rule_faults`, for an existing space."""
    rules = [rule for rule in space.rules.rules if not rule.transition]
    bases = [one.value for one in values_of(space, _BASES)] if rules else []
    return _collected(rules, lambda rule: _breaking(rule, bases, space), most)


def transition_faults_of(space: Space, *, most: int = 3) -> RuleFaults:
    """Return as :func:`transition_faults`, for an existing space."""
    rules = [rule for rule in space.rules.rules if rule.transition]
    cycles = lifecycles(space.schema, space.document)
    bases = [one.value for one in values_of(space, _BASES)] if rules or cycles else []
    found = _collected(rules, lambda rule: _pairs(rule, bases, space, cycles), most)
    steps: list[RuleFault] = []
    unreachable = list(found.unreachable)
    for cycle in cycles:
        own = list(_forbidden(cycle, bases, space, cycles))
        steps += own
        unreachable += [] if own else [cycle.schema_pointer]
    return RuleFaults((*found.faults, *steps), tuple(unreachable))


def _collected(rules: Sequence[Rule], search: Any, most: int) -> RuleFaults:
    found: list[RuleFault] = []
    unreachable: list[str] = []
    for rule in rules:
        seen: dict[str, RuleFault] = {}
        for fault in search(rule):
            seen.setdefault(written([fault.value, None if fault.before is MISSING else fault.before]), fault)
            if len(seen) == most:
                break
        found += seen.values()
        unreachable += [] if seen else [rule.schema_pointer]
    return RuleFaults(tuple(found), tuple(unreachable))


def _breaking(rule: Rule, bases: Sequence[Any], space: Space) -> Iterator[RuleFault]:
    for base in bases[:_CHANGED]:
        for one in _evaluations(rule, space, base):
            # At most two values per base, for variety.
            changed = (value for value in space.changed_for(base, one, None) if _alone(value, one, space))
            for value in islice(changed, 2):
                yield _fault(value, MISSING, one, space, _difference(base, value, one))
    for base in bases[:_CHANGED]:
        for one in _evaluations(rule, space, base):
            for value in _repaired(base, one, space):
                yield _fault(value, MISSING, one, space, "mended elsewhere")
    found = _searched(rule, space)
    if found is not MISSING:
        one = next(evaluation for evaluation in space.rules.broken(found))
        yield _fault(found, MISSING, one, space, "found by search")


def _repaired(base: Any, one: Evaluation, space: Space) -> Iterator[Any]:
    """Yield values that break a rule, repaired so that a second rule holds that the change broke as well."""
    for changed in islice(space.changed_for(base, one, None), _MAX_REPAIRED):
        broken = space.rules.broken(changed) if space.judge.is_valid(changed) else []
        others = [other for other in broken if (other.rule, other.pointer) != (one.rule, one.pointer)]
        if len(others) in (0, len(broken)):
            continue
        targets = (one.pointer + target for target in one.rule.targets())
        moved = next((at for at in targets if not is_same(read(base, at), read(changed, at))), None)
        yield from islice((v for v in space.changed_for(changed, others[0], moved) if _alone(v, one, space)), 1)


def _evaluations(rule: Rule, space: Space, value: Any, old: Any = MISSING) -> list[Evaluation]:
    return [one for one in space.rules.evaluate(value, old) if one.rule == rule]


def _alone(value: Any, one: Evaluation, space: Space) -> bool:
    """Whether a value breaks this rule at this place and nothing else."""
    inner = read(value, one.pointer)
    if inner is MISSING or one.rule.holds(inner) is not False or not space.judge.is_valid(value):
        return False
    return all(
        isinstance(other.outcome, Holds) or (other.rule == one.rule and other.pointer == one.pointer)
        for other in space.rules.evaluate(value)
    )


def _searched(rule: Rule, space: Space) -> Any:
    """Search with Hypothesis for a schema-valid value that breaks a rule alone; MISSING if none is found."""

    def breaks(value: Any) -> bool:
        found = [one for one in space.rules.evaluate(value) if not isinstance(one.outcome, Holds)]
        return len(found) == 1 and _alone(value, found[0], space) and found[0].rule == rule

    return _find(unruled(space), breaks)


def _find(strategy: Any, wanted: Any) -> Any:
    chosen = settings(
        max_examples=500,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    try:
        return find(strategy, wanted, settings=chosen)
    except HypothesisException:
        return MISSING


def _fault(value: Any, before: Any, one: Evaluation, space: Space, label: str) -> RuleFault:
    again = next(
        found for found in space.rules.broken(value, before) if (found.rule, found.pointer) == (one.rule, one.pointer)
    )
    values = getattr(again.outcome, "values", ())
    return RuleFault(value, before, one.rule.code, one.pointer, one.rule.schema_pointer, label, values)


def _difference(base: Any, value: Any, one: Evaluation) -> str:
    rows = []
    for target in dict.fromkeys(one.rule.targets()):
        place = one.pointer + target
        there = read(value, place)
        if not is_same(read(base, place), there):
            rows.append(f"{place.rpartition('/')[2]} {'missing' if there is MISSING else short(there)}")
    return ", ".join(rows) or "changed"


def _pairs(rule: Rule, bases: Sequence[Any], space: Space, cycles: Sequence[Lifecycle]) -> Iterator[RuleFault]:
    for base in bases[:_CHANGED]:
        for one in _evaluations(rule, space, base, base):
            for before, after in islice(_changed_pairs(base, one, space), _TRIES):
                if _breaks_pair(before, after, one, space, cycles):
                    yield _fault(after, before, one, space, _difference(before, after, one))
                    break
    for before in bases:
        for after in bases:
            for one in _evaluations(rule, space, after, before):
                if _breaks_pair(before, after, one, space, cycles):
                    yield _fault(after, before, one, space, "two valid reads")
    drawn = strategy_of(space)

    def breaks(pair: tuple[Any, Any]) -> bool:
        return any(
            _breaks_pair(pair[0], pair[1], one, space, cycles) for one in _evaluations(rule, space, pair[1], pair[0])
        )

    found = _find(st.tuples(drawn, drawn), breaks)
    if found is not MISSING:
        one = next(e for e in _evaluations(rule, space, found[1], found[0]) if not isinstance(e.outcome, Holds))
        yield _fault(found[1], found[0], one, space, "found by search")


def _changed_pairs(base: Any, one: Evaluation, space: Space) -> Iterator[tuple[Any, Any]]:
    for root in ("self", "oldSelf"):
        for changed in space.changed_for(base, one, None, root):
            fixed = changed if space.is_valid(changed) else _fixed(changed, base, one, root, space)
            if fixed is not MISSING:
                yield (base, fixed) if root == "self" else (fixed, base)


def _fixed(changed: Any, base: Any, one: Evaluation, root: str, space: Space) -> Any:
    """Repair a changed read while keeping its one changed place; MISSING if that is impossible."""
    places = [one.pointer + target for target in one.rule.targets(root)]
    moved = [place for place in places if not is_same(read(changed, place), read(base, place))]
    return space.repaired(changed, moved[0]) if len(moved) == 1 else MISSING


def _breaks_pair(before: Any, after: Any, one: Evaluation, space: Space, cycles: Sequence[Lifecycle]) -> bool:
    inner, old = read(after, one.pointer), read(before, one.pointer)
    if MISSING in (inner, old) or one.rule.holds(inner, old) is not False:
        return False
    if not (space.is_valid(before) and space.is_valid(after)) or not _in_order(before, after, cycles):
        return False
    return all(
        isinstance(other.outcome, Holds) or (other.rule == one.rule and other.pointer == one.pointer)
        for other in space.rules.evaluate(after, before)
    )


def _in_order(before: Any, after: Any, cycles: Sequence[Lifecycle]) -> bool:
    for cycle in cycles:
        for place in expand(after, cycle.pointer):
            one, other = read(before, place), read(after, place)
            if MISSING not in (one, other) and not cycle.allowed(one, other):
                return False
    return True


def _forbidden(
    cycle: Lifecycle, bases: Sequence[Any], space: Space, cycles: Sequence[Lifecycle]
) -> Iterator[RuleFault]:
    others = [other for other in cycles if other is not cycle]
    for first in cycle.values:
        for second in cycle.values:
            if cycle.allowed(first, second):
                continue
            found = next(_steps(cycle, first, second, bases, space, others), None)
            if found is not None:
                yield found


def _steps(
    cycle: Lifecycle, first: Any, second: Any, bases: Sequence[Any], space: Space, others: Sequence[Lifecycle]
) -> Iterator[RuleFault]:
    for base in bases:
        for place in expand(base, cycle.pointer)[:1]:
            if read(base, place) is MISSING:
                continue
            after = space.repaired(replaced(base, place, second), place)
            before = MISSING if after is MISSING else space.repaired(replaced(after, place, first), place)
            if MISSING in (before, after) or not _in_order(before, after, others):
                continue
            if all(isinstance(one.outcome, Holds) for one in space.rules.evaluate(after, before)):
                values = (("before", short(first)), ("after", short(second)))
                label = f"{short(first)}, then {short(second)}"
                yield RuleFault(after, before, "lifecycle", place, cycle.schema_pointer, label, values)
