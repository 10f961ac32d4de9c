"""Pairs of filters, at least one of them added by an overlay, with values for which each filter matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from operator import itemgetter
from typing import Any

from batch_conformance.contract.filters import other_filters
from batch_conformance.operations.list_batches.filters import NAMES, compared, usable, values_for

#: The most values tried of each filter.
_MOST = 6


def filter_pairs(listed: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Yield the best values of each pair of filters by internal names, if both filters matter to listed batches.

    Pairs of two filters that the contract has without an overlay are left to ``filter_combinations``.
    """
    values = {name: values_for(name, listed)[:_MOST] for name in (*filter(usable, NAMES), *other_filters())}
    for names in combinations(values, 2):
        if not other_filters().keys().isdisjoint(names):
            tried = [dict(zip(names, pair, strict=True)) for pair in product(*(values[name] for name in names))]
            scored = [(_score(given, listed), given) for given in tried]
            score, best = max(scored, key=itemgetter(0), default=(0, {}))
            if score >= len(names):
                yield best


def _score(given: Mapping[str, str], listed: Sequence[Mapping[str, Any]]) -> float:
    """Return how many of the filters alone exclude a batch that fits the rest, and a half if any fits all."""
    fits = [[compared(name, row, value) for name, value in given.items()] for row in listed]
    alone = {row.index(False) for row in fits if row.count(False) == 1 and row.count(None) == 0}
    return len(alone) + any(all(row) for row in fits) / 2
