"""Selects combinations of filters, with values for which each filter matters to the listed batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from batch_conformance.contract import Instant


@dataclass(frozen=True)
class ComparedMembers:
    """The members of a listed batch that filters compare: status and date of creation, None where absent."""

    status: str | None
    moment: Fraction | None


@dataclass(frozen=True)
class Combination:
    """One combination of filters: a status and bounds, None for filters that are not used."""

    status: str | None = None
    after: Instant | None = None
    before: Instant | None = None

    def fits(self, batch: ComparedMembers) -> list[bool]:
        """Return whether a batch fits, for each filter in use."""
        found = [] if self.status is None else [batch.status == self.status]
        if self.after is not None:
            found.append(batch.moment is not None and batch.moment > _at(self.after))
        if self.before is not None:
            found.append(batch.moment is not None and batch.moment < _at(self.before))
        return found


def filter_combinations(
    batches: Sequence[ComparedMembers], statuses: Sequence[str], bounds: Sequence[Instant]
) -> list[Combination]:
    """Return each combination of filters once, pairs first; none without bounds.

    ``bounds`` lie between the batches and outside of all, oldest first.
    """
    near = {status: _bounds_around(batches, status, bounds) for status in statuses}
    # The statuses from both ends in turn, so that the combinations do not all use the same one.
    kinds = [
        [Combination(status, low) for status in statuses for low, _ in near[status]],
        [Combination(status, None, high) for status in reversed(statuses) for _, high in near[status]],
        [Combination(None, low, high) for low, high in _ranges(bounds)],
        [Combination(status, low, high) for status in statuses for low, high in near[status] if _at(low) < _at(high)],
    ]
    best = (max(kind, key=lambda combination: _score(combination, batches), default=None) for kind in kinds)
    return [combination for combination in best if combination is not None]


def _at(bound: Instant) -> Fraction:
    return bound.seconds + bound.fraction


def _bounds_around(
    batches: Sequence[ComparedMembers], status: str, bounds: Sequence[Instant]
) -> list[tuple[Instant, Instant]]:
    """Return pairs of bounds: first those that exclude a batch of this status and few others."""
    own = [batch.moment for batch in batches if batch.status == status and batch.moment is not None]
    low = next((bound for bound in bounds if own and _at(bound) > min(own)), None)
    high = next((bound for bound in reversed(bounds) if own and _at(bound) < max(own)), None)
    middle = bounds[len(bounds) // 2 :][:1]
    found = [(low, high)] if low is not None and high is not None else []
    return [*found, *((one, one) for one in middle), *_ranges(bounds)]


def _ranges(bounds: Sequence[Instant]) -> Iterator[tuple[Instant, Instant]]:
    """Yield pairs of bounds, first the widest pair that excludes batches on both sides."""
    if len(bounds) > 3:
        yield bounds[1], bounds[-2]
    yield from combinations(dict.fromkeys([*bounds[:2], *bounds[-2:]]), 2)


def _score(combination: Combination, batches: Sequence[ComparedMembers]) -> int:
    """Score a combination: filters that alone exclude some batch count most, then whether any batch fits."""
    fits = [combination.fits(batch) for batch in batches]
    alone = {row.index(False) for row in fits if row.count(False) == 1}
    return 2 * len(alone) + any(all(row) for row in fits)
