"""Faults in reading and caching batches: ``client.decode.unknown-…``, ``transfer``, ``fresh``."""
# Table rows stay on one line.
# ruff: noqa: E501

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from batch_conformance.mutants.client.base import Faulty, Registry
from batch_conformance.mutants.client.decode import refusing
from batch_conformance.reference.client import Answer, Batch, BatchError, failure

mutant = Registry()
Reply = dict[str, Any]
_KNOWN = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")
_UNKNOWN = "decode.unknown-fields"
_MEMBERS = {"id", "created_at", "status", "metrics", "outputUrl", "webhookUrl"}
_COUNT_NAMES = {"total_generations", "success_count", "failed_count", "pending_count"}
refusing(mutant, "extra-refused", _UNKNOWN, "refuses extra members", lambda value: not set(value) <= _MEMBERS)
refusing(
    mutant,
    "extra-in-metrics-refused",
    _UNKNOWN,
    "refuses extra members in metrics",
    lambda value: not set(value["metrics"]) <= _COUNT_NAMES,
)
refusing(mutant, "extra-object-refused", _UNKNOWN, "refuses extra members that are objects",
          lambda value: any(isinstance(item, dict) for name, item in value.items() if name != "metrics"))  # fmt: skip
refusing(mutant, "extra-null-refused", _UNKNOWN, "refuses null it does not know",
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
        return (
            self.taking(**value)
            if isinstance(value, dict) and isinstance(value.get("id"), str)
            else super().batch(value)
        )

    def taking(self, **members: Any) -> Batch:
        return super().batch(members)


_NEW = "decode.unknown-status"


def _unknown_status(name: str, description: str, change: Callable[[str], str]) -> None:
    class Changed(Faulty):
        def enumerated(self, value: str, known: Sequence[Any]) -> str:
            return value if value in known else change(value)

    mutant(name, _NEW, description)(Changed)


def _raising(error: Exception) -> Callable[[str], str]:
    def fail(_: str) -> str:
        raise error

    return fail


_unknown_status("unknown-is-pending", "takes an unknown status for PENDING", lambda _: "PENDING")
_unknown_status("unknown-is-failed", "takes an unknown status for FAILED", lambda _: "FAILED")
_unknown_status("unknown-is-unknown", "calls every unknown status UNKNOWN", lambda _: "UNKNOWN")
_unknown_status(
    "unknown-upper-case",
    "does not mind the case of a status",
    lambda text: text.upper() if text.upper() in _KNOWN else text,
)
_unknown_status(
    "unknown-other-error", "throws something at an unknown status", _raising(BatchError("other", "KeyError"))
)
_unknown_status(
    "unknown-server-error",
    "blames the server for an unknown status",
    _raising(BatchError("server_error", "?", 200)),
)
_unknown_status("unknown-crash", "dies of an unknown status", _raising(KeyError("status")))

_TRANSFER = "decode.transfer"


def _body_fault(name: str, description: str, change: Callable[[Answer], bytes]) -> None:
    class Changed(Faulty):
        def read(self, answer: Answer) -> Batch:
            return super().read(Answer(answer.status, answer.headers, change(answer)))

    mutant(name, _TRANSFER, description)(Changed)


_body_fault("transfer-latin-1", "takes UTF-8 for Latin-1", lambda answer: answer.body.decode("latin-1").encode())
_body_fault("transfer-ascii", "drops what is not ASCII", lambda answer: answer.body.decode("ascii", "ignore").encode())
_body_fault(
    "transfer-cp1252",
    "takes UTF-8 for Windows-1252",
    lambda answer: answer.body.decode("cp1252", "replace").encode(),
)
_body_fault(
    "transfer-escapes-kept",
    "does not undo unicode escapes",
    lambda answer: re.sub(rb"\\u", rb"\\\\u", answer.body),
)
_body_fault(
    "transfer-slashes-kept",
    "does not undo escaped slashes",
    lambda answer: answer.body.replace(b"\\/", b"\\\\/"),
)
_body_fault("transfer-blank-before", "refuses white space before the value",
            lambda answer: b"" if answer.body[:1].isspace() else answer.body)  # fmt: skip
_body_fault("transfer-one-line", "reads the first line only", lambda answer: answer.body.lstrip().split(b"\n")[0])
_body_fault("transfer-length-needed", "reads nothing without a Content-Length",
            lambda answer: answer.body if "content-length" in answer.headers or answer.status != 200 else b"")  # fmt: skip
_body_fault("transfer-type-to-the-letter", "takes only application/json to the letter",
            lambda answer: answer.body if answer.headers.get("content-type") == "application/json" else b"")  # fmt: skip
_body_fault("transfer-surrogates", "loses characters beyond the basic plane",
            lambda answer: re.sub(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", b"?", re.sub(rb"\xf0...", b"?", answer.body)))  # fmt: skip


def _unread(name: str, description: str, unread: Callable[[Answer], bool], returned: Any) -> None:
    class Unread(Faulty):
        """Returns something else, instead of an error, for a response that it does not recognise."""

        def reply(self, batch_id: str) -> Reply:
            self.unread = False
            reply = super().reply(batch_id)
            return {"batch": returned} if self.unread and "batch" in reply else reply

        def read(self, answer: Answer) -> Batch:
            self.unread = answer.status == 200 and unread(answer)
            return super().read(answer)

    mutant(name, _TRANSFER, description)(Unread)


_unread("transfer-type-else-text", "hands over a text where the type is not in lower case",
        lambda answer: answer.headers.get("content-type", "") == "APPLICATION/JSON", "{}")  # fmt: skip
_unread("transfer-type-else-empty", "hands over an empty object where the type is not in lower case",
        lambda answer: answer.headers.get("content-type", "") == "APPLICATION/JSON", {})  # fmt: skip
_unread("transfer-unsized-empty", "hands over nothing where there is no Content-Length",
        lambda answer: "content-length" not in answer.headers, {})  # fmt: skip


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
        reply["metrics"] = self.memory.setdefault(batch["id"], reply["metrics"])
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
        if batch["status"] == "COMPLETED":
            self.memory[batch_id] = {"batch": self.as_reply(batch)}
        return {"batch": self.as_reply(batch)}
