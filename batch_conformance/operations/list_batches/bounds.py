"""Dates to ask List Batches with: between its batches, beyond them all, and as they are written."""

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

#: Before and after all batches there can be.
LONG_AGO, FAR_AHEAD = "1990-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
#: Seconds that two batches must lie apart for a bound between them, and that a bound lies outside of all.
_APART, _OUTSIDE = 2, 3600
#: Seconds between a bound and the batch next to it.
_NEAR = 1
#: 2100: dates beyond are nobody's.
_LAST = 4_102_444_800


def bounds_between(listed: Sequence[Mapping[str, Any]]) -> list[Instant]:
    """Instants on which no batch of the list lies, oldest first: one between two batches that follow each other in
    time, a second behind the one or before the other in turn, and an hour outside of them all.
    """
    dates = sorted(_moments(listed))
    inner: list[Fraction] = []
    for first, second in pairwise(dates):
        # Near to a batch, a bound shows that zones are mistaken; a second away, that is not asked of stores that keep
        # no fractions.
        if second - first >= _APART:
            inner.append(_to_the_millisecond(first + _NEAR if len(inner) % 2 else second - _NEAR))
    outer = [dates[0] - _OUTSIDE, dates[-1] + _OUTSIDE] if dates else []
    bounds = [*outer[:1], *inner, *outer[1:]]
    return list(map(_instant, bounds))


def bounds_beyond(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Filters with bounds beyond all batches: far away, or an hour from the last one where that is farther still."""
    dates = [date for row in listed if (date := created(row)) is not None]
    found = []
    for name, far, sign in ((AFTER, FAR_AHEAD, 1), (BEFORE, LONG_AGO, -1)):
        bound = instant_of(far)
        assert bound is not None
        at = max([sign * (bound.seconds + bound.fraction), *(sign * date + _OUTSIDE for date in dates)]) * sign
        # The calendar has an end on both sides.
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
    """For a bound between two batches, a moment behind the one and a moment before the other; else the bound twice.

    A bound that is cut to the minute lets in what lies just before it, or leaves out what lies just behind.
    """
    at = bound.seconds + bound.fraction
    dates = sorted(_moments(listed))
    earlier = max((date for date in dates if date < at), default=None)
    later = min((date for date in dates if date > at), default=None)
    if earlier is None or later is None:
        return bound, bound
    return _instant(_to_the_millisecond(earlier + _NEAR)), _instant(_to_the_millisecond(later - _NEAR))


def spread(bounds: Sequence[Instant], most: int) -> list[Instant]:
    """At most so many of them, spread over all; those outside of all batches only where there are no others."""
    among = list(bounds[1:-1] or bounds)
    if len(among) <= most:
        return among
    if most == 1:
        return [among[len(among) // 2]]
    return [among[round(number * (len(among) - 1) / (most - 1))] for number in range(most)]


def zone_across(bound: Instant, name: str, listed: Sequence[Mapping[str, Any]]) -> timezone:
    """An offset that matters: without it, the bound would lie beyond the next batch that it lets through."""
    at = bound.seconds + bound.fraction
    away = [moment - at if name == AFTER else at - moment for moment in _moments(listed)]
    nearest = min((apart for apart in away if apart > 0), default=Fraction(0))
    hours = next((one for one in (2, 12) if nearest < one * 3600), 12)
    # With half an hour, so that an offset of which only the hours are read shows.
    offset = timedelta(hours=hours, minutes=30)
    return timezone(offset if name == AFTER else -offset)


def written(instant: Instant, zone: timezone | None = None) -> str:
    """An instant as RFC 3339, in UTC with Z, or with the offset of a zone."""
    moment = datetime.fromtimestamp(instant.seconds, UTC) + timedelta(
        milliseconds=int(instant.fraction * 1000)
    )
    moment = moment.astimezone(zone or UTC)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z") if zone is None else text
