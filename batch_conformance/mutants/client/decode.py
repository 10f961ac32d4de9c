"""Faults in decoding a valid batch: ``client.decode.*``. Simple schema faults are derived instead."""
# Overridden methods get arguments that few faults use; table rows stay on one line.
# ruff: noqa: ARG002, ARG005, E501

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from batch_conformance.mutants.client.base import Faulty, Registry
from batch_conformance.reference.client import Batch, BatchError

mutant = Registry()
Reply = dict[str, Any]
_KNOWN = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")


def _reply_fault(name: str, clause: str, description: str, change: Callable[[Reply], object], *also: str) -> None:
    """Register a client whose replies ``change`` modifies in place."""

    class Changed(Faulty):
        def as_reply(self, batch: Batch) -> Reply:
            reply = super().as_reply(batch)
            change(reply)
            return reply

    mutant(name, clause, description, *also)(Changed)


def _sets(name: str, change: Callable[[Any], Any]) -> Callable[[Reply], object]:
    return lambda reply: reply.update({name: change(reply[name])})


def _instead(name: str, old: Any, new: Any) -> Callable[[Reply], object]:
    return _sets(name, lambda value: new if value == old else value)


def _counts(change: Callable[[Reply], object]) -> Callable[[Reply], object]:
    return lambda reply: change(reply["metrics"])


def _each_count(change: Callable[[int], Any]) -> Callable[[Reply], object]:
    return lambda reply: reply["metrics"].update({name: change(value) for name, value in reply["metrics"].items()})


def _swap(first: str, second: str) -> Callable[[Reply], object]:
    return lambda reply: reply.update({first: reply[second], second: reply[first]})


_FIELDS = "decode.fields"
_reply_fault("fields-no-webhook-url", _FIELDS, "loses webhookUrl", lambda reply: reply.pop("webhookUrl"))
_reply_fault("fields-urls-swapped", _FIELDS, "swaps the two URLs", _swap("outputUrl", "webhookUrl"), "decode.optional")
_reply_fault("fields-counts-swapped", _FIELDS, "swaps the counts of success and failure",
             _counts(_swap("success_count", "failed_count")))  # fmt: skip
_reply_fault("fields-total-misread", _FIELDS, "hands over the successes for the total",
             _counts(lambda metrics: metrics.update(total_generations=metrics["success_count"])))  # fmt: skip
_reply_fault("fields-query-cut", _FIELDS, "cuts the query off URLs", _sets("outputUrl", lambda url: url.split("?")[0]))
_reply_fault("fields-url-decoded", _FIELDS, "decodes URLs", _sets("outputUrl", unquote))
_reply_fault(
    "fields-id-cut",
    _FIELDS,
    "strips the prefix off the id",
    _sets("id", lambda name: name.removeprefix("batch_")),
)
_reply_fault("fields-camel-case", _FIELDS, "hands over counts under other names", _counts(
    lambda metrics: [metrics.update({name.title().replace("_", ""): metrics.pop(name)}) for name in list(metrics)]
))  # fmt: skip


@mutant("fields-nothing-decodes", _FIELDS, "refuses every batch")
class _NothingDecodes(Faulty):
    def batch(self, value: Any) -> Batch:
        raise BatchError("decode", "that is no batch")


_STATUS = "decode.status"
_reply_fault("status-lower-case", _STATUS, "turns the status into lower case", _sets("status", str.lower))
_reply_fault(
    "status-title-case",
    _STATUS,
    "spells the status for people",
    _sets("status", lambda text: text.replace("_", " ").title()),
)
_reply_fault("status-as-number", _STATUS, "hands the status over as a number",
             _sets("status", lambda text: _KNOWN.index(text) if text in _KNOWN else text))  # fmt: skip
_reply_fault("status-with-class", _STATUS, "hands over the name of an enumeration member",
             _sets("status", lambda text: f"BatchStatus.{text}" if text in _KNOWN else text))  # fmt: skip
for _old, _new in (
    ("FAILED", "COMPLETED"),
    ("JOBS_CREATED", "PENDING"),
    ("PENDING", "PROCESSING"),
    ("PROCESSING", "RUNNING"),
):
    _reply_fault(f"status-{_old.lower().replace('_', '-')}-renamed", _STATUS, f"takes {_old} for {_new}",
                 _instead("status", _old, _new))  # fmt: skip


@mutant("status-done-when-counted", _STATUS, "calls a batch COMPLETED once none of it is pending")
class _DoneWhenCounted(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        counts = batch["metrics"]
        if batch["status"] == "PROCESSING" and counts["pending_count"] == 0 < counts["total_generations"]:
            batch["status"] = "COMPLETED"
        return batch


@mutant("status-by-counts", _STATUS, "calls a batch of which all failed FAILED")
class _StatusByCounts(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        counts = batch["metrics"]
        if batch["status"] == "COMPLETED" and counts["failed_count"] == counts["total_generations"]:
            batch["status"] = "FAILED"
        return batch


@mutant("status-failed-raises", _STATUS, "makes an error of a failed batch")
class _FailedRaises(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        if batch["status"] == "FAILED":
            raise BatchError("other", "the batch failed")
        return batch


def _date_fault(
    name: str, description: str, change: Callable[[datetime], Any], clause: str = "decode.created_at"
) -> None:
    def changed(text: str) -> Any:
        return change(datetime.fromisoformat(text))

    _reply_fault(name, clause, description, _sets("created_at", changed))


_date_fault("date-naive", "drops the offset", lambda date: date.replace(tzinfo=None).isoformat())
_date_fault(
    "date-utc-naive",
    "turns dates into UTC and does not say so",
    lambda date: date.astimezone(UTC).replace(tzinfo=None).isoformat(),
)
_date_fault("date-offset-ignored", "takes every date for UTC", lambda date: date.replace(tzinfo=UTC).isoformat())
_date_fault(
    "date-local",
    "shifts dates into another zone and keeps the old offset",
    lambda date: (date + timedelta(hours=2)).isoformat(),
)
_date_fault("date-seconds", "cuts fractions of a second off", lambda date: date.replace(microsecond=0).isoformat())
_PRECISION = "decode.created_at-precision"
_date_fault(
    "date-milliseconds",
    "keeps milliseconds only",
    lambda date: date.isoformat(timespec="milliseconds"),
    _PRECISION,
)
_date_fault(
    "date-centiseconds",
    "keeps hundredths of a second only",
    lambda date: date.replace(microsecond=date.microsecond // 10_000 * 10_000).isoformat(),
)
_date_fault("date-minutes", "cuts seconds off", lambda date: date.replace(second=0, microsecond=0).isoformat())
_date_fault("date-day", "hands over the day only", lambda date: date.date().isoformat())
_date_fault("date-epoch", "hands over a number", lambda date: date.timestamp())
_date_fault(
    "date-sign",
    "turns the sign of the offset",
    lambda date: re.sub("[+-](?=..:..$)", lambda sign: "+-"[sign[0] == "+"], date.isoformat()),
)
_date_fault(
    "date-half-hours",
    "ignores the minutes of an offset",
    lambda date: re.sub(r":\d\d$", ":00", date.isoformat()),
)
_date_fault("date-text", "hands over a date for people", lambda date: date.strftime("%a, %d %b %Y %H:%M:%S %z"))
_date_fault(
    "date-float",
    "goes through a float of seconds",
    lambda date: datetime.fromtimestamp(float(f"{date.timestamp():.5f}"), UTC).isoformat(),
    _PRECISION,
)


def _parse_fault(
    name: str, description: str, pattern: str, parse: Callable[[str], str], clause: str = "decode.created_at"
) -> None:
    class Changed(Faulty):
        def instant(self, text: str) -> datetime:
            if re.search(pattern, text):
                text = parse(text)
            return super().instant(text)

    mutant(name, clause, description)(Changed)


_parse_fault("date-nanoseconds-refused", "refuses more than six digits of fraction", r"\.\d{7}", lambda text: "?")
_parse_fault("date-fraction-refused", "refuses fractions of a second", r"\.\d", lambda text: "?")
_parse_fault("date-offset-refused", "refuses offsets other than Z", r"[+-]\d\d:\d\d$", lambda text: "?")
_parse_fault("date-fraction-as-integer", "takes .1 for one microsecond", r"\.\d{1,5}\D",
             lambda text: re.sub(r"\.(\d+)", lambda match: f".{int(match[1]):06d}", text))  # fmt: skip

_LETTERS = "decode.created_at-letters"
_parse_fault("date-lower-case-refused", "refuses t and z in lower case", "[tz]", lambda text: "?", _LETTERS)
_parse_fault("date-lower-case-z-refused", "refuses z in lower case", "z$", lambda text: "?", _LETTERS)
_parse_fault("date-lower-case-day", "reads no further than a t in lower case", r"\dt",
             lambda text: f"{text[:10]}T00:00:00Z")  # fmt: skip

_COUNTS = "decode.counts"
_reply_fault("counts-float", _COUNTS, "hands counts over as floats", _each_count(float))
_reply_fault("counts-text", _COUNTS, "hands counts over as text", _each_count(str))
_reply_fault("counts-int32", _COUNTS, "keeps 32 bits", _each_count(lambda value: (value + 2**31) % 2**32 - 2**31))
_reply_fault("counts-uint32", _COUNTS, "keeps 32 bits without a sign", _each_count(lambda value: value % 2**32))
_reply_fault("counts-saturated", _COUNTS, "stops at 2^31 - 1", _each_count(lambda value: min(value, 2**31 - 1)))
_reply_fault("counts-rounded", _COUNTS, "keeps fifteen digits", _each_count(lambda value: int(float(f"{value:.14e}"))))
_reply_fault("counts-zero-is-none", _COUNTS, "takes zero for nothing", _each_count(lambda value: value or None))
_reply_fault("counts-pending-derived", _COUNTS, "computes the pending count", _counts(
    lambda one: one.update(pending_count=one["total_generations"] - one["success_count"] - one["failed_count"])))  # fmt: skip
_reply_fault("counts-total-derived", _COUNTS, "computes the total", _counts(
    lambda one: one.update(total_generations=one["success_count"] + one["failed_count"] + one["pending_count"])))  # fmt: skip
_reply_fault("counts-success-derived", _COUNTS, "computes the successes", _counts(
    lambda one: one.update(success_count=one["total_generations"] - one["failed_count"] - one["pending_count"])))  # fmt: skip
_reply_fault("counts-pending-at-least-one", _COUNTS, "shows at least one pending while under way", lambda reply: reply["metrics"].update(
    pending_count=reply["metrics"]["pending_count"] or int(reply["status"] in ("PENDING", "PROCESSING"))))  # fmt: skip


@mutant("counts-fraction-refused", "decode.counts-fraction", "refuses a count that is written 5.0")
class _FractionRefused(Faulty):
    def integer(self, number: float) -> int:
        if isinstance(number, float):
            raise BatchError("decode", "a count is no integer")
        return super().integer(number)


@mutant("counts-fraction-as-digits", _COUNTS, "reads the digits of 5.0 as 50")
class _FractionAsDigits(Faulty):
    def integer(self, number: float) -> int:
        return int(str(number).replace(".", "")) if isinstance(number, float) else super().integer(number)


class _RequestedId(Faulty):
    """Remembers the requested id."""

    requested_id = ""

    def url(self, batch_id: str) -> str:
        self.requested_id = batch_id
        return super().url(batch_id)


_ID = "decode.id"


@mutant("id-as-asked", _ID, "reports the id that was asked for")
class _IdAsAsked(_RequestedId):
    def as_reply(self, batch: Batch) -> Reply:
        return super().as_reply(batch) | {"id": self.requested_id}


@mutant("id-as-asked-but-for-case", _ID, "reports the id that was asked for where only the case differs")
class _IdButForCase(_RequestedId):
    def as_reply(self, batch: Batch) -> Reply:
        same = batch["id"].casefold() == self.requested_id.casefold()
        return super().as_reply(batch) | ({"id": self.requested_id} if same else {})


@mutant("other-id-is-not-found", _ID, "calls a batch with another id not found")
class _OtherIdNotFound(_RequestedId):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        if batch["id"] != self.requested_id:
            raise BatchError("not_found", "no such batch", 404)
        return batch


@mutant("counts-large-refused", _COUNTS, "refuses counts above 2^31 - 1")
class _LargeRefused(Faulty):
    def integer(self, number: float) -> int:
        if number >= 2**31:
            raise BatchError("decode", "a count out of range")
        return super().integer(number)


@mutant("counts-must-add-up", _COUNTS, "refuses counts that do not add up")
class _MustAddUp(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        total, *parts = self.as_reply(batch)["metrics"].values()
        if sum(parts) != total:
            raise BatchError("decode", "the counts do not add up")
        return batch


_OPTIONAL = "decode.optional"
for _name, _text in (("none", "None"), ("null", "null"), ("empty", ""), ("undefined", "undefined")):
    _reply_fault(f"webhook-{_name}-text", _OPTIONAL, f"hands over {_text!r} where there is no webhookUrl",
                 _instead("webhookUrl", None, _text))  # fmt: skip
_reply_fault(
    "output-empty-is-none",
    _OPTIONAL,
    "hands over null for an empty outputUrl",
    _sets("outputUrl", lambda url: url or None),
)
_reply_fault("output-empty-filled", _OPTIONAL, "fills an empty outputUrl in",
             lambda reply: reply.update(outputUrl=reply["outputUrl"] or f"https://api.sync.so/v2/batches/{reply['id']}/result"))  # fmt: skip


def refusing(
    register: Registry, name: str, clause: str, description: str, refuses: Callable[[Any], bool], *also: str
) -> None:
    """Register a client that refuses batches for which ``refuses`` is true."""

    class Changed(Faulty):
        def batch(self, value: Any) -> Batch:
            if isinstance(value, dict) and isinstance(value.get("metrics"), dict) and refuses(value):
                raise BatchError("decode", "not what this client expects")
            return super().batch(value)

    register(name, clause, description, *also)(Changed)


refusing(
    mutant,
    "webhook-required",
    _OPTIONAL,
    "refuses a batch without webhookUrl",
    lambda value: "webhookUrl" not in value,
)
refusing(
    mutant,
    "webhook-null-refused",
    _OPTIONAL,
    "refuses webhookUrl null",
    lambda value: value.get("webhookUrl", "") is None,
)
refusing(
    mutant,
    "output-empty-refused",
    _OPTIONAL,
    "refuses an empty outputUrl",
    lambda value: value.get("outputUrl") == "",
)
