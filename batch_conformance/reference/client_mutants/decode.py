"""Faults in what becomes of a valid batch: ``client.decode.*``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx

from batch_conformance.reference.client import Answer, Batch, BatchError, failure
from batch_conformance.reference.client_mutants.base import Faulty, Registry

mutant = Registry()
Reply = dict[str, Any]
_KNOWN = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")


def _reply_fault(name: str, clause: str, description: str, change: Callable[[Reply], object], *also: str) -> None:
    """A fault in what the caller is handed: ``change`` changes the reply in place."""

    class Changed(Faulty):
        def as_reply(self, batch: Batch) -> Reply:
            reply = super().as_reply(batch)
            change(reply)
            return reply

    mutant(name, clause, description, *also)(Changed)


def _sets(name: str, change: Callable[[Any], Any]) -> Callable[[Reply], object]:
    return lambda reply: reply.update({name: change(reply[name])})


def _counts(change: Callable[[Reply], object]) -> Callable[[Reply], object]:
    return lambda reply: change(reply["metrics"])


def _each_count(change: Callable[[int], Any]) -> Callable[[Reply], object]:
    return lambda reply: reply["metrics"].update({name: change(value) for name, value in reply["metrics"].items()})


def _swap(first: str, second: str) -> Callable[[Reply], object]:
    return lambda reply: reply.update({first: reply[second], second: reply[first]})


_FIELDS = "decode.fields"
_reply_fault("fields-no-output-url", _FIELDS, "loses outputUrl", lambda reply: reply.pop("outputUrl"))
_reply_fault("fields-no-webhook-url", _FIELDS, "loses webhookUrl", lambda reply: reply.pop("webhookUrl"))
_reply_fault("fields-no-created-at", _FIELDS, "loses created_at", lambda reply: reply.pop("created_at"))
_reply_fault("fields-no-metrics", _FIELDS, "loses metrics", lambda reply: reply.pop("metrics"))
_reply_fault("fields-no-pending", _FIELDS, "loses pending_count", _counts(lambda metrics: metrics.pop("pending_count")))
_reply_fault("fields-null-status", _FIELDS, "hands over null for the status", _sets("status", lambda _: None))
_reply_fault("fields-urls-swapped", _FIELDS, "swaps the two URLs", _swap("outputUrl", "webhookUrl"), "decode.optional")
_reply_fault("fields-counts-swapped", _FIELDS, "swaps the counts of success and failure",
             _counts(_swap("success_count", "failed_count")))  # fmt: skip
_reply_fault("fields-total-misread", _FIELDS, "hands over the successes for the total",
             _counts(lambda metrics: metrics.update(total_generations=metrics["success_count"])))  # fmt: skip
_reply_fault("fields-query-cut", _FIELDS, "cuts the query off URLs", _sets("outputUrl", lambda url: url.split("?")[0]))
_reply_fault("fields-url-decoded", _FIELDS, "decodes URLs", _sets("outputUrl", unquote))
_reply_fault("fields-id-cut", _FIELDS, "strips the prefix off the id", _sets("id", lambda name: name.removeprefix("batch_")))
_reply_fault("fields-camel-case", _FIELDS, "hands over counts under other names", _counts(
    lambda metrics: [metrics.update({name.title().replace("_", ""): metrics.pop(name)}) for name in list(metrics)]
))  # fmt: skip


@mutant("fields-nothing-decodes", _FIELDS, "refuses every batch")
class _NothingDecodes(Faulty):
    def batch(self, value: Any) -> Batch:
        raise BatchError("decode", "that is no batch")


_STATUS = "decode.status"
_reply_fault("status-lower-case", _STATUS, "turns the status into lower case", _sets("status", str.lower))
_reply_fault("status-title-case", _STATUS, "spells the status for people", _sets("status", lambda text: text.replace("_", " ").title()))
_reply_fault("status-as-number", _STATUS, "hands the status over as a number",
             _sets("status", lambda text: _KNOWN.index(text) if text in _KNOWN else text))  # fmt: skip
_reply_fault("status-with-class", _STATUS, "hands over the name of an enumeration member",
             _sets("status", lambda text: f"BatchStatus.{text}" if text in _KNOWN else text))  # fmt: skip
for _old, _new in (("FAILED", "COMPLETED"), ("JOBS_CREATED", "PENDING"), ("PENDING", "PROCESSING"), ("PROCESSING", "RUNNING")):
    _reply_fault(f"status-{_old.lower().replace('_', '-')}-renamed", _STATUS, f"takes {_old} for {_new}",
                 _sets("status", lambda text, old=_old, new=_new: new if text == old else text))  # fmt: skip


@mutant("status-jobs-created-refused", _STATUS, "does not know JOBS_CREATED")
class _JobsCreated(Faulty):
    def status(self, value: Mapping[str, Any]) -> str:
        if value.get("status") == "JOBS_CREATED":
            raise BatchError("decode", "no such status")
        return super().status(value)


@mutant("status-failed-raises", _STATUS, "makes an error of a failed batch")
class _FailedRaises(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        if batch.status == "FAILED":
            raise BatchError("other", "the batch failed")
        return batch


def _date_fault(name: str, description: str, change: Callable[[datetime], Any]) -> None:
    def changed(text: str) -> Any:
        return change(datetime.fromisoformat(text))

    _reply_fault(name, "decode.created_at", description, _sets("created_at", changed))


_date_fault("date-naive", "drops the offset", lambda date: date.replace(tzinfo=None).isoformat())
_date_fault("date-utc-naive", "turns dates into UTC and does not say so", lambda date: date.astimezone(UTC).replace(tzinfo=None).isoformat())
_date_fault("date-offset-ignored", "takes every date for UTC", lambda date: date.replace(tzinfo=UTC).isoformat())
_date_fault("date-local", "shifts dates into another zone and keeps the old offset", lambda date: (date + timedelta(hours=2)).isoformat())
_date_fault("date-seconds", "cuts fractions of a second off", lambda date: date.replace(microsecond=0).isoformat())
_date_fault("date-milliseconds", "keeps milliseconds only", lambda date: date.isoformat(timespec="milliseconds"))
_date_fault("date-minutes", "cuts seconds off", lambda date: date.replace(second=0, microsecond=0).isoformat())
_date_fault("date-day", "hands over the day only", lambda date: date.date().isoformat())
_date_fault("date-epoch", "hands over a number", lambda date: date.timestamp())
_date_fault("date-sign", "turns the sign of the offset", lambda date: re.sub("[+-](?=..:..$)", lambda sign: "+-"[sign[0] == "+"], date.isoformat()))
_date_fault("date-half-hours", "ignores the minutes of an offset", lambda date: re.sub(r":\d\d$", ":00", date.isoformat()))
_date_fault("date-text", "hands over a date for people", lambda date: date.strftime("%a, %d %b %Y %H:%M:%S %z"))
_date_fault("date-float", "goes through a float of seconds", lambda date: datetime.fromtimestamp(float(f"{date.timestamp():.5f}"), UTC).isoformat())


def _parse_fault(name: str, description: str, pattern: str, parse: Callable[[str], str]) -> None:
    class Changed(Faulty):
        def instant(self, text: str) -> datetime:
            if re.search(pattern, text):
                text = parse(text)
            return super().instant(text)

    mutant(name, "decode.created_at", description)(Changed)


_parse_fault("date-nanoseconds-refused", "refuses more than six digits of fraction", r"\.\d{7}", lambda text: "?")
_parse_fault("date-fraction-refused", "refuses fractions of a second", r"\.\d", lambda text: "?")
_parse_fault("date-offset-refused", "refuses offsets other than Z", r"[+-]\d\d:\d\d$", lambda text: "?")
_parse_fault("date-fraction-as-integer", "takes .1 for one microsecond", r"\.\d{1,5}\D",
             lambda text: re.sub(r"\.(\d+)", lambda match: f".{int(match[1]):06d}", text))  # fmt: skip

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


@mutant("counts-large-refused", _COUNTS, "refuses counts above 2^31 - 1")
class _LargeRefused(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        number = super().count(value, name)
        if number >= 2**31:
            raise BatchError("decode", "a count out of range")
        return number


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
                 _sets("webhookUrl", lambda url, text=_text: text if url is None else url))  # fmt: skip
_reply_fault("output-empty-is-none", _OPTIONAL, "hands over null for an empty outputUrl", _sets("outputUrl", lambda url: url or None))
_reply_fault("output-empty-filled", _OPTIONAL, "fills an empty outputUrl in",
             lambda reply: reply.update(outputUrl=reply["outputUrl"] or f"https://api.sync.so/v2/batches/{reply['id']}/result"))  # fmt: skip


def _refusing(name: str, clause: str, description: str, refuses: Callable[[Any], bool], *also: str) -> None:
    class Changed(Faulty):
        def batch(self, value: Any) -> Batch:
            if isinstance(value, dict) and isinstance(value.get("metrics"), dict) and refuses(value):
                raise BatchError("decode", "not what this client expects")
            return super().batch(value)

    mutant(name, clause, description, *also)(Changed)


_refusing("webhook-required", _OPTIONAL, "refuses a batch without webhookUrl", lambda value: "webhookUrl" not in value)
_refusing("webhook-null-refused", _OPTIONAL, "refuses webhookUrl null", lambda value: value.get("webhookUrl", "") is None)
_refusing("output-empty-refused", _OPTIONAL, "refuses an empty outputUrl", lambda value: value.get("outputUrl") == "")

_UNKNOWN = "decode.unknown-fields"
_MEMBERS = {"id", "created_at", "status", "metrics", "outputUrl", "webhookUrl"}
_COUNT_NAMES = {"total_generations", "success_count", "failed_count", "pending_count"}
_refusing("extra-refused", _UNKNOWN, "refuses extra members", lambda value: not set(value) <= _MEMBERS)
_refusing("extra-in-metrics-refused", _UNKNOWN, "refuses extra members in metrics", lambda value: not set(value["metrics"]) <= _COUNT_NAMES)
_refusing("extra-object-refused", _UNKNOWN, "refuses extra members that are objects",
          lambda value: any(isinstance(item, dict) for name, item in value.items() if name != "metrics"))  # fmt: skip
_refusing("extra-null-refused", _UNKNOWN, "refuses null it does not know",
          lambda value: any(item is None for name, item in value.items() if name not in _MEMBERS))  # fmt: skip


@mutant("extra-flattened", _UNKNOWN, "lets members of nested objects stand for its own", "reject.wrong-types")
class _Flattened(Faulty):
    def batch(self, value: Any) -> Batch:
        if isinstance(value, dict):
            for name, item in list(value.items()):
                if isinstance(item, dict) and name not in _MEMBERS:
                    value = {**value, **item}
        return super().batch(value)


@mutant("extra-deep-crash", _UNKNOWN, "cannot walk deep nesting")
class _DeepCrash(Faulty):
    def batch(self, value: Any) -> Batch:
        if len(re.findall(r"[\[{]", json.dumps(value))) > 15:
            raise RecursionError("too deep")
        return super().batch(value)


@mutant("extra-as-keywords", _UNKNOWN, "cannot take a member named self")
class _AsKeywords(Faulty):
    def batch(self, value: Any) -> Batch:
        return self.taking(**value) if isinstance(value, dict) and isinstance(value.get("id"), str) else super().batch(value)

    def taking(self, **members: Any) -> Batch:
        return super().batch(members)


_NEW = "decode.unknown-status"


def _unknown_status(name: str, description: str, change: Callable[[str], str]) -> None:
    class Changed(Faulty):
        def status(self, value: Mapping[str, Any]) -> str:
            status = super().status(value)
            return status if status in _KNOWN else change(status)

    mutant(name, _NEW, description)(Changed)


def _raising(error: Exception) -> Callable[[str], str]:
    def fail(_: str) -> str:
        raise error

    return fail


_unknown_status("unknown-is-pending", "takes an unknown status for PENDING", lambda _: "PENDING")
_unknown_status("unknown-is-failed", "takes an unknown status for FAILED", lambda _: "FAILED")
_unknown_status("unknown-is-unknown", "calls every unknown status UNKNOWN", lambda _: "UNKNOWN")
_unknown_status("unknown-upper-case", "does not mind the case of a status", lambda text: text.upper() if text.upper() in _KNOWN else text)
_unknown_status("unknown-other-error", "throws something at an unknown status", _raising(BatchError("other", "KeyError")))
_unknown_status("unknown-server-error", "blames the server for an unknown status", _raising(BatchError("server_error", "?", 200)))
_unknown_status("unknown-crash", "dies of an unknown status", _raising(KeyError("status")))

_TRANSFER = "decode.transfer"


def _body_fault(name: str, description: str, change: Callable[[Answer], bytes]) -> None:
    class Changed(Faulty):
        def read(self, answer: Answer) -> Batch:
            return super().read(Answer(answer.status, answer.headers, change(answer)))

    mutant(name, _TRANSFER, description)(Changed)


_body_fault("transfer-latin-1", "takes UTF-8 for Latin-1", lambda answer: answer.body.decode("latin-1").encode())
_body_fault("transfer-ascii", "drops what is not ASCII", lambda answer: answer.body.decode("ascii", "ignore").encode())
_body_fault("transfer-cp1252", "takes UTF-8 for Windows-1252", lambda answer: answer.body.decode("cp1252", "replace").encode())
_body_fault("transfer-escapes-kept", "does not undo unicode escapes", lambda answer: re.sub(rb"\\u", rb"\\\\u", answer.body))
_body_fault("transfer-slashes-kept", "does not undo escaped slashes", lambda answer: answer.body.replace(b"\\/", b"\\\\/"))
_body_fault("transfer-blank-before", "refuses white space before the value",
            lambda answer: b"" if answer.body[:1].isspace() else answer.body)  # fmt: skip
_body_fault("transfer-lines-joined", "drops escaped line ends", lambda answer: answer.body.replace(b"\\n", b""))
_body_fault("transfer-one-line", "reads the first line only", lambda answer: answer.body.lstrip().split(b"\n")[0])
_body_fault("transfer-length-needed", "reads nothing without a Content-Length",
            lambda answer: answer.body if "content-length" in answer.headers or answer.status != 200 else b"")  # fmt: skip
_body_fault("transfer-type-to-the-letter", "takes only application/json to the letter",
            lambda answer: answer.body if answer.headers.get("content-type") == "application/json" else b"")  # fmt: skip
_body_fault("transfer-surrogates", "loses characters beyond the basic plane",
            lambda answer: re.sub(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", b"?", re.sub(rb"\xf0...", b"?", answer.body)))  # fmt: skip


@mutant("transfer-order", _TRANSFER, "takes members by their position")
class _Order(Faulty):
    def batch(self, value: Any) -> Batch:
        if isinstance(value, dict) and list(value)[-1:] == ["id"]:
            value = dict(zip(value, reversed(list(value.values())), strict=True))
        return super().batch(value)


@mutant("transfer-gzip-asked", _TRANSFER, "asks for gzip and does not undo it")
class _GzipKept(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        answer = super().send(url, deadline)
        return Answer(answer.status, answer.headers, b"\x1f\x8b") if "content-encoding" in answer.headers else answer


@mutant("transfer-first-chunk", _TRANSFER, "takes the first chunk for all there is", "fault.truncated")
class _FirstChunk(Faulty):
    def receive(self, response: httpx.Response, deadline: float) -> bytes:
        if "transfer-encoding" in response.headers:
            return next(response.iter_bytes(), b"")
        return super().receive(response, deadline)


_FRESH = "decode.fresh"


@mutant("fresh-cached", _FRESH, "keeps every batch it has read")
class _Cached(Faulty):
    def reply(self, batch_id: str) -> Reply:
        if batch_id not in self.memory:
            reply = super().reply(batch_id)
            if "error" in reply:
                return reply
            self.memory[batch_id] = reply
        return dict(self.memory[batch_id])


@mutant("fresh-counts-cached", _FRESH, "keeps the counts it has read first")
class _CountsCached(Faulty):
    def as_reply(self, batch: Batch) -> Reply:
        reply = super().as_reply(batch)
        reply["metrics"] = self.memory.setdefault(batch.id, reply["metrics"])
        return reply


@mutant("fresh-missing-cached", _FRESH, "remembers that a batch was missing")
class _MissingCached(Faulty):
    def reply(self, batch_id: str) -> Reply:
        if batch_id in self.memory:
            return dict(self.memory[batch_id])
        reply = super().reply(batch_id)
        if "error" in reply and reply["error"]["kind"] == "not_found":
            self.memory[batch_id] = reply
        return reply


@mutant("fresh-stale-if-error", _FRESH, "shows the last batch when there is an error")
class _StaleIfError(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        try:
            self.memory[batch_id] = batch = super().get_batch(batch_id)
        except BatchError:
            if batch_id not in self.memory:
                raise
            batch = self.memory[batch_id]
        return batch


@mutant("fresh-final-cached", _FRESH, "does not ask again for a completed batch")
class _FinalCached(Faulty):
    def reply(self, batch_id: str) -> Reply:
        if batch_id in self.memory:
            return dict(self.memory[batch_id])
        try:
            batch = self.get_batch(batch_id)
        except BatchError as error:
            return failure(error)
        if batch.status == "COMPLETED":
            self.memory[batch_id] = {"batch": self.as_reply(batch)}
        return {"batch": self.as_reply(batch)}
