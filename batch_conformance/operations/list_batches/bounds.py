"""Bounds for the date filters of List Batches: between batches, beyond all batches, and their text forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from typing import Any

from batch_conformance.contract import Instant
from batch_conformance.contract.pointers import read
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    created,
    created_member,
    instant_of,
)

#: Dates before and after any batch.
LONG_AGO, FAR_AHEAD = "1990-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
#: Least seconds between two batches for a bound between them; seconds from all batches to an outer bound.
_APART, _OUTSIDE = 2, 3600
#: Seconds between a bound and the batch next to it.
_NEAR = 1
#: The year 2100, in seconds since 1970; batches with later dates are ignored.
_LAST = 4_102_444_800


def bounds_between(listed: Sequence[Mapping[str, Any]]) -> list[Instant]:
    """Return instants on which no batch of the list lies, oldest first.

    One between each pair of neighbours, in turn a second after the earlier or before the later one, and one
    an hour outside of all batches on each side.
    """
    dates = sorted(_moments(listed))
    inner: list[Fraction] = []
    for first, second in pairwise(dates):
        # A bound close to a batch detects a misread offset. A full second leaves room for stores that keep no
        # fractions.
        if second - first >= _APART:
            inner.append(_to_the_millisecond(first + _NEAR if len(inner) % 2 else second - _NEAR))
    outer = [dates[0] - _OUTSIDE, dates[-1] + _OUTSIDE] if dates else []
    bounds = [*outer[:1], *inner, *outer[1:]]
    return list(map(_instant, bounds))


def bounds_beyond(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return filters that exclude all batches: a far date, or an hour past the outermost batch if farther."""
    dates = [date for row in listed if (date := created(row)) is not None]
    found = []
    for name, far, sign in ((AFTER, FAR_AHEAD, 1), (BEFORE, LONG_AGO, -1)):
        bound = instant_of(far)
        assert bound is not None
        at = max([sign * (bound.seconds + bound.fraction), *(sign * date + _OUTSIDE for date in dates)]) * sign
        # datetime covers only the years 1 to 9999.
        with suppress(ValueError, OverflowError):
            found.append({name: written(_instant(at))})
    return found


def _instant(at: Fraction) -> Instant:
    return Instant(int(at // 1), at % 1)


def _to_the_millisecond(at: Fraction) -> Fraction:
    return Fraction(round(at * 1000), 1000)


def _moments(listed: Sequence[Mapping[str, Any]]) -> set[Fraction]:
    instants = [instant_of(read(row, created_member())) for row in listed]
    moments = {one.seconds + one.fraction for one in instants if one is not None}
    return {moment for moment in moments if 0 < moment < _LAST}


def sides(bound: Instant, listed: Sequence[Mapping[str, Any]]) -> tuple[Instant, Instant]:
    """Return instants a second after the earlier and a second before the later neighbour of a bound.

    They show whether a server truncates bounds to the minute. Without two neighbours, it is the bound twice.
    """
    at = bound.seconds + bound.fraction
    dates = sorted(_moments(listed))
    earlier = max((date for date in dates if date < at), default=None)
    later = min((date for date in dates if date > at), default=None)
    if earlier is None or later is None:
        return bound, bound
    return _instant(_to_the_millisecond(earlier + _NEAR)), _instant(_to_the_millisecond(later - _NEAR))


def spread(bounds: Sequence[Instant], most: int) -> list[Instant]:
    """Return at most ``most`` bounds, evenly spread; the outer two only where there are no others."""
    among = list(bounds[1:-1] or bounds)
    if len(among) <= most:
        return among
    if most == 1:
        return [among[len(among) // 2]]
    return [among[round(number * (len(among) - 1) / (most - 1))] for number in range(most)]


def zone_across(bound: Instant, name: str, listed: Sequence[Mapping[str, Any]]) -> timezone:
    """Return an offset without which the bound would exclude the next batch that it selects."""
    at = bound.seconds + bound.fraction
    away = [moment - at if name == AFTER else at - moment for moment in _moments(listed)]
    nearest = min((apart for apart in away if apart > 0), default=Fraction(0))
    hours = next((one for one in (2, 12) if nearest < one * 3600), 12)
    # With half an hour, to detect a server that reads only the hours of an offset.
    offset = timedelta(hours=hours, minutes=30)
    return timezone(offset if name == AFTER else -offset)


def written(instant: Instant, zone: timezone | None = None, *, milliseconds: bool = False) -> str:
    """Format an instant as RFC 3339: in UTC with ``Z``, or with the offset of a zone.

    Without ``milliseconds``, these are written where there are any.
    """
    moment = datetime.fromtimestamp(instant.seconds, UTC) + timedelta(milliseconds=int(instant.fraction * 1000))
    moment = moment.astimezone(zone or UTC)
    text = moment.isoformat(timespec="milliseconds" if milliseconds or moment.microsecond else "seconds")
    return text.replace("+00:00", "Z") if zone is None else text
