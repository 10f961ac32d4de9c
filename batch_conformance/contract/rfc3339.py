"""Strict parser of RFC 3339 date-times; common ones accept too much (a newline) or too little (``t``)."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

_DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
#: Digits of a fraction that are read: int() refuses more than a few thousand.
_FRACTION_DIGITS = 1000


@dataclass(frozen=True)
class Instant:
    """A point in time: whole seconds since 1970 (UTC) and the fraction of a second (up to 1000 digits)."""

    seconds: int
    fraction: Fraction


def parse_date_time(text: str) -> Instant | str:
    """Parse an RFC 3339 date-time (section 5.6); return an :class:`Instant`, or the problem as text."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return "not of the form YYYY-MM-DDThh:mm:ss[.fraction](Z or +hh:mm)"
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    fraction, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10)
    if not 1 <= month <= 12:
        return f"month {month} does not exist"
    if not 1 <= day <= (31 if month not in (2, 4, 6, 9, 11) else _last_day(year, month)):
        return f"day {day} of month {month} does not exist in {year}"
    if hour > 23 or minute > 59 or second > 60:
        return "the time of day does not exist"
    offset = 0
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            return "the offset does not exist"
        offset = (int(offset_hours) * 60 + int(offset_minutes)) * (-60 if sign == "-" else 60)
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    if second == 60 and not _can_be_leap(seconds):
        return "second 60 without a possible leap second (RFC 3339, 5.7)"
    return Instant(seconds, Fraction(f"0.{(fraction or '0')[:_FRACTION_DIGITS]}"))


def _last_day(year: int, month: int) -> int:
    # The calendar module has no year 0; the Gregorian calendar repeats every 400 years.
    return calendar.monthrange(year or 400, month)[1]


def _days(year: int, month: int, day: int) -> int:
    cycle, within = divmod(year, 400)
    moved = datetime(within + 400, month, day, tzinfo=UTC)
    return (moved - datetime(1970, 1, 1, tzinfo=UTC)).days + (cycle - 1) * 146_097


def _can_be_leap(seconds: int) -> bool:
    """Whether second 60 is at the end of a month in UTC, where leap seconds are inserted."""
    moved = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds % (146_097 * 86400))
    return (moved.day, moved.hour, moved.minute, moved.second) == (1, 0, 0, 0)
