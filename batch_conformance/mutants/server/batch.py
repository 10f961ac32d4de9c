"""Faults in batches: ``server.ok.*`` and ``server.body.*``. Simple schema faults are derived instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from batch_conformance.mutants.server.base import Payload, fault_in_batch
from batch_conformance.operations.stored import StoredBatch

Change = Callable[[Payload], Any]
IDENTITY, OBJECT, JSON = "server.poll.identity", "server.body.object", "server.ok.json"


def _put(name: str, value: Any) -> Callable[[Payload, StoredBatch], Payload]:
    return lambda payload, _: {**payload, name: value}


def _drop(name: str) -> Callable[[Payload, StoredBatch], Payload]:
    return lambda payload, _: {key: value for key, value in payload.items() if key != name}


def _map(name: str, change: Callable[[Any], Any]) -> Callable[[Payload, StoredBatch], Payload]:
    return lambda payload, _: {**payload, name: change(payload[name])}


def _when(state: str, name: str, value: Any) -> Callable[[Payload, StoredBatch], Payload]:
    return lambda payload, _: {**payload, name: value} if payload["status"] == state else payload


def _count(name: str, change: Callable[[int], Any]) -> Callable[[Payload, StoredBatch], Payload]:
    def apply(payload: Payload, _: StoredBatch) -> Payload:
        return {**payload, "metrics": {**payload["metrics"], name: change(payload["metrics"][name])}}

    return apply


def _text(change: Callable[[str], str]) -> Callable[[Payload, StoredBatch], bytes]:
    return lambda payload, _: change(json.dumps(payload)).encode("utf-8", "surrogatepass")


def _every(nth: int, change: Callable[[Payload, StoredBatch], Any]) -> Callable[[Payload, StoredBatch], Any]:
    return lambda payload, batch: change(payload, batch) if batch.reads % nth == 0 else payload


# server.ok.json, .unique-names
for _name, _change in {
    "json-bom": _text(lambda text: "\ufeff" + text),
    "json-nan": _text(lambda text: text.replace('"total_generations": 5', '"total_generations": 5, "rate": NaN')),
    "json-infinity": _text(lambda text: text[:-1] + ', "eta": Infinity}'),
    "json-trailing-comma": _text(lambda text: text[:-1] + ",}"),
    "json-two-values": _text(lambda text: text + text),
    "json-trailing-garbage": _text(lambda text: text + "\nnull"),
    "json-single-quotes": _text(lambda text: text.replace('"', "'")),
    "json-comment": _text(lambda text: "/* batch */" + text),
    "json-raw-newline": _text(lambda text: text[:-1] + ', "note": "a\nb"}'),
    "json-cut": _text(lambda text: text[:-8]),
    "json-jsonp": _text(lambda text: f"callback({text})"),
    "json-empty": _text(lambda text: text[:0]),
    "json-anti-hijacking-prefix": _text(lambda text: ")]}',\n" + text),
    "json-bad-utf-8": lambda payload, _: json.dumps(payload).encode()[:-1] + b', "note": "\xff"}',
    "json-latin-1": lambda payload, _: json.dumps({**payload, "note": "é"}, ensure_ascii=False).encode("latin-1"),
    "json-utf-16": lambda payload, _: json.dumps(payload).encode("utf-16"),
    "json-cut-every-5th": _every(5, _text(lambda text: text[:-1])),
}.items():
    fault_in_batch(JSON, _name, _change)
fault_in_batch("server.ok.unique-names", "names-twice", _text(lambda text: text[:-1] + ', "status": "COMPLETED"}'),
               also=["server.poll.final", "server.body.completed-none-pending",
                     "server.body.outputUrl", "server.body.completed-adds-up"])  # fmt: skip
fault_in_batch("server.ok.unique-names", "names-twice-deep",
               _text(lambda text: text.replace('"failed_count"', '"pending_count": 0, "failed_count"')))  # fmt: skip

# server.body.object
for _name, _wrap in {
    "object-in-data": lambda payload, _: {"data": payload},
    "object-in-array": lambda payload, _: [payload],
    "object-in-batch": lambda payload, _: {"batch": payload, "success": True},
    "object-null": lambda payload, _: None,
    "object-empty": lambda payload, _: {},
    "object-as-string": lambda payload, _: json.dumps(payload),
    "object-wrapped-at-times": _every(4, lambda payload, _: {"result": payload}),
}.items():
    fault_in_batch(OBJECT, _name, _wrap)

# server.body.id
fault_in_batch("server.body.id", "id-number", _put("id", 123))
fault_in_batch("server.body.id", "id-constant", _put("id", "batch_abc123"))
fault_in_batch("server.body.id", "id-without-prefix", _map("id", lambda value: value.removeprefix("batch_")))
fault_in_batch("server.body.id", "id-upper-case", _map("id", str.upper))
fault_in_batch("server.body.id", "id-lower-case", _map("id", str.lower))
fault_in_batch("server.body.id", "id-with-newline", _map("id", lambda value: value + "\n"))
fault_in_batch("server.body.id", "id-renamed", lambda payload, _: {"batch_id": payload.pop("id"), **payload})
fault_in_batch("server.body.id", "id-wrong-every-3rd", _every(3, _put("id", "batch_other")), also=[IDENTITY])

# server.body.created_at
for _name, _value in {
    "created-no-offset": "2024-01-15T10:30:00",
    "created-date-only": "2024-01-15",
    "created-space-for-t": "2024-01-15 10:30:00Z",
    "created-epoch-string": "1705314600",
    "created-february-30": "2024-02-30T10:30:00Z",
    "created-february-29-in-2023": "2023-02-29T10:30:00Z",
    "created-month-13": "2024-13-01T10:30:00Z",
    "created-hour-24": "2024-01-15T24:00:00Z",
    "created-trailing-newline": "2024-01-15T10:30:00Z\n",
    "created-offset-without-colon": "2024-01-15T10:30:00+0000",
    "created-offset-hours-only": "2024-01-15T10:30:00+00",
    "created-empty-fraction": "2024-01-15T10:30:00.Z",
    "created-comma-fraction": "2024-01-15T10:30:00,5Z",
    "created-rfc-1123": "Mon, 15 Jan 2024 10:30:00 GMT",
    "created-two-digit-year": "24-01-15T10:30:00Z",
    "created-zone-name": "2024-01-15T10:30:00 UTC",
    "created-no-seconds": "2024-01-15T10:30Z",
    "created-second-61": "2024-01-15T10:30:61Z",
    "created-offset-25": "2024-01-15T10:30:00+25:00",
    "created-basic-format": "20240115T103000Z",
    "created-empty": "",
}.items():
    fault_in_batch("server.body.created_at", _name, _put("created_at", _value))
fault_in_batch("server.body.created_at", "created-camel-case",
               lambda payload, _: {"createdAt": payload.pop("created_at"), **payload})  # fmt: skip
fault_in_batch("server.body.created_at", "created-bad-when-failed", _when("FAILED", "created_at", "yesterday"),
               also=[IDENTITY])  # fmt: skip

# server.body.status
fault_in_batch("server.body.status", "status-lower-case", _map("status", str.lower))
fault_in_batch("server.body.status", "status-padded", _map("status", lambda value: value + " "))
for _state, _name in {
    "COMPLETED": "DONE",
    "FAILED": "ERROR",
    "PROCESSING": "IN_PROGRESS",
    "PENDING": "QUEUED",
    "JOBS_CREATED": "JOBS-CREATED",
}.items():
    fault_in_batch("server.body.status", f"status-{_name.lower().replace('_', '-')}", _when(_state, "status", _name))
fault_in_batch("server.body.status", "status-sync-v1", _when("COMPLETED", "status", "completed"))
fault_in_batch("server.body.status", "status-rejected", _when("FAILED", "status", "REJECTED"))

# server.body.metrics
METRICS = "server.body.metrics"
fault_in_batch(METRICS, "metrics-null-when-pending", _when("PENDING", "metrics", None))
fault_in_batch(METRICS, "metrics-empty-when-pending", _when("PENDING", "metrics", {}))
fault_in_batch(METRICS, "metrics-camel-case", _map("metrics", lambda value: {
    "totalGenerations": value["total_generations"], "successCount": value["success_count"],
    "failedCount": value["failed_count"], "pendingCount": value["pending_count"]}))  # fmt: skip
fault_in_batch(METRICS, "metrics-fraction", _count("success_count", lambda value: value + 0.5))
fault_in_batch(METRICS, "metrics-boolean", _count("failed_count", bool))
fault_in_batch(METRICS, "metrics-null-when-zero", _count("failed_count", lambda value: value or None))

# server.body.metrics-sum, .completed-none-pending, .completed-adds-up
fault_in_batch(
    "server.body.metrics-sum", "sum-over-total", _count("total_generations", lambda value: max(0, value - 1))
)
fault_in_batch("server.body.metrics-sum", "sum-pending-is-total", lambda payload, _: payload if payload["status"] in
               ("COMPLETED", "PENDING") else {**payload, "metrics": {**payload["metrics"], "pending_count": payload[
                   "metrics"]["total_generations"] + 1}})  # fmt: skip
fault_in_batch("server.body.metrics-sum", "sum-success-doubled", _count("success_count", lambda value: value * 3))
fault_in_batch("server.body.completed-none-pending", "completed-one-pending", lambda payload, _: payload if payload[
    "status"] != "COMPLETED" else {**payload, "metrics": {
        **payload["metrics"], "success_count": payload["metrics"]["success_count"] - 1, "pending_count": 1}})  # fmt: skip
fault_in_batch("server.body.completed-none-pending", "completed-pending-and-larger-total",
               lambda payload, _: payload if payload["status"] != "COMPLETED" else {**payload, "metrics": {
                   **payload["metrics"], "total_generations": payload["metrics"]["total_generations"] + 4,
                   "pending_count": 4}})  # fmt: skip
fault_in_batch("server.body.completed-adds-up", "completed-does-not-add-up", lambda payload, _: payload if payload[
    "status"] != "COMPLETED" else {**payload, "metrics": {**payload["metrics"], "total_generations": 7}})  # fmt: skip

# server.body.outputUrl, .webhookUrl
OUTPUT = "server.body.outputUrl"
fault_in_batch(OUTPUT, "output-missing", _drop("outputUrl"))
fault_in_batch(OUTPUT, "output-snake-case", lambda payload, _: {"output_url": payload.pop("outputUrl"), **payload})
fault_in_batch(OUTPUT, "output-null-before-the-end", _map("outputUrl", lambda value: value or None))
fault_in_batch(OUTPUT, "output-missing-before-the-end",
               lambda payload, _: payload if payload["outputUrl"] else {
                   key: value for key, value in payload.items() if key != "outputUrl"})  # fmt: skip
for _name, _value in {
    "output-relative": "/v2/batches/batch_abc123/result",
    "output-empty-when-completed": "",
    "output-ftp": "ftp://api.sync.so/result",
    "output-no-host": "https:///result",
    "output-scheme-relative": "//api.sync.so/result",
    "output-space": "https://api.sync.so/a result",
    "output-no-scheme": "api.sync.so/result",
    "output-s3": "s3://bucket/result.jsonl",
    "output-javascript": "javascript:alert(1)",
    "output-word": "pending",
    "output-newline": "https://api.sync.so/result\n",
}.items():
    fault_in_batch(OUTPUT, _name, _when("COMPLETED", "outputUrl", _value))
fault_in_batch(OUTPUT, "output-null-when-failed", _when("FAILED", "outputUrl", None))
fault_in_batch(OUTPUT, "output-false-before-the-end", _map("outputUrl", lambda value: value or False))
fault_in_batch("server.body.webhookUrl", "webhook-number", _put("webhookUrl", 0))
fault_in_batch("server.body.webhookUrl", "webhook-false-when-none", lambda payload, _: {
    **payload, "webhookUrl": payload.get("webhookUrl") or False})  # fmt: skip
