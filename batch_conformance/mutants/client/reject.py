"""Faults with a 200 that holds no batch: ``client.reject.*``."""
# Callbacks get arguments that few faults use.
# ruff: noqa: ARG005

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import MISSING, read, replaced
from batch_conformance.contract.schema import Violation
from batch_conformance.mutants.client.base import Faulty, Following, Registry, empty_batch
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()
_JSON = "reject.not-json"


_STATUS = "reject.other-status"


def _accepting_status(
    name: str, description: str, accepts: Callable[[int], bool], client: type[Faulty] = Faulty
) -> None:
    """Register a client that reads the bodies of some statuses as if they came with a 200."""

    class Taking(client):  # type: ignore[misc, valid-type]
        def read(self, answer: Answer) -> Batch:
            if accepts(answer.status) and answer.body:
                answer = Answer(200, answer.headers, answer.body)
            batch: Batch = super().read(answer)
            return batch

    mutant(name, _STATUS, description)(Taking)


_accepting_status("below-400-taken", "takes whatever comes under a status below 400", lambda status: status < 400)
_accepting_status("302-taken", "takes the body of a 302", lambda status: status == 302)
_accepting_status("307-taken", "takes the body of a 307 and a 308", lambda status: status in (307, 308))
_accepting_status("206-taken", "takes a part for the whole", lambda status: status == 206)
_accepting_status("300-taken", "takes what comes with several choices", lambda status: status == 300, Following)
_accepting_status(
    "unlocated-taken",
    "takes the body of a redirect that leads nowhere",
    lambda status: status in (301, 302),
    Following,
)


def _empty(name: str, description: str, status: int) -> None:
    class Empty(Faulty):
        def read(self, answer: Answer) -> Batch:
            return empty_batch(self) if answer.status == status else super().read(answer)

    mutant(name, _STATUS, description)(Empty)


_empty("204-is-empty-batch", "makes an empty batch of a 204", 204)
_empty("304-is-empty-batch", "makes an empty batch of a 304", 304)


@mutant("html-is-empty-batch", _JSON, "makes an empty batch of what is not JSON")
class _HtmlIsEmpty(Faulty):
    def read(self, answer: Answer) -> Batch:
        try:
            return super().read(answer)
        except BatchError as error:
            if "is not JSON" not in str(error):
                raise
            return empty_batch(self)


@mutant("nothing-is-empty-batch", _JSON, "makes an empty batch of an empty body")
class _NothingIsEmpty(Faulty):
    def read(self, answer: Answer) -> Batch:
        if answer.status == 200 and not answer.body.strip():
            return empty_batch(self)
        return super().read(answer)


@mutant("cut-json-repaired", _JSON, "closes the braces of JSON that is cut off")
class _Repaired(Faulty):
    def json(self, body: bytes) -> Any:
        for end in (b"", b"}", b"}}", b'"}', b'"}}'):
            try:
                return super().json(body + end)
            except BatchError as problem:
                error = problem
        raise error


@mutant("quotes-tolerated", "reject.lenient-json", "reads JSON with quotes of the wrong kind")
class _Quotes(Faulty):
    def json(self, body: bytes) -> Any:
        return super().json(body.replace(b"'", b'"') if body.startswith(b"{'") else body)


@mutant("html-is-not-found", _JSON, "calls an HTML page not found")
class _HtmlIsNotFound(Faulty):
    def read(self, answer: Answer) -> Batch:
        if answer.status == 200 and answer.body.startswith(b"<"):
            raise BatchError("not_found", "no such page", 404)
        return super().read(answer)


@mutant("html-crash", _JSON, "dies of what is not JSON")
class _HtmlCrash(Faulty):
    def json(self, body: bytes) -> Any:
        return json.loads(body) if body[:1] != b"{" else super().json(body)


@mutant("members-by-pattern", _JSON, "looks for members in the text, JSON or not", "reject.lenient-json")
class _ByPattern(Faulty):
    def json(self, body: bytes) -> Any:
        try:
            return super().json(body)
        except BatchError:
            found = dict(re.findall(r'"(id|created_at|status|outputUrl)": "([^"]*)"', body.decode("utf-8", "replace")))
            if "status" not in found or "outputUrl" not in found:
                raise
            zeros = {"total_generations": 0, "success_count": 0, "failed_count": 0, "pending_count": 0}
            return {"metrics": zeros, **found}


_OBJECT = "reject.not-object"


def _odd_value(name: str, description: str, takes: type | tuple[type, ...], change: Any) -> None:
    class Changed(Faulty):
        def batch(self, value: Any) -> Batch:
            if isinstance(value, takes) and not isinstance(value, dict):
                value = change(value)
                if value is None:
                    return empty_batch(self)
            return super().batch(value)

    mutant(name, _OBJECT, description)(Changed)


_odd_value("null-is-empty-batch", "makes an empty batch of null", type(None), lambda value: None)
_odd_value(
    "array-first",
    "takes the first batch of an array",
    list,
    lambda value: value[0] if value and isinstance(value[0], dict) else 0,
)
_odd_value("array-is-empty-batch", "makes an empty batch of an array", list, lambda value: None)
_odd_value(
    "text-read-again",
    "reads JSON within a string",
    str,
    lambda value: json.loads(value) if value[:1] == "{" else value,
)
_odd_value(
    "falsy-is-empty-batch",
    "makes an empty batch of false, zero and the like",
    (bool, int, str),
    lambda value: value or None,
)
_odd_value("scalar-is-empty-batch", "makes an empty batch of a number", int, lambda value: None)


@mutant("array-crash", _OBJECT, "dies of an array")
class _ArrayCrash(Faulty):
    def batch(self, value: Any) -> Batch:
        return super().batch(value if isinstance(value, dict) else value["id"])


@mutant("pairs-are-members", _OBJECT, "takes an array of pairs for an object")
class _Pairs(Faulty):
    def batch(self, value: Any) -> Batch:
        if isinstance(value, list) and value and isinstance(value[0], list):
            return empty_batch(self)
        return super().batch(value)


_TYPES = "reject.wrong-types"


def _repairing(name: str, description: str, repaired: Callable[[Violation, Any], Any]) -> None:
    """Register a client that repairs invalid members.

    ``repaired`` returns the value to use at a violation, or MISSING to refuse it.
    """

    class Changed(Faulty):
        def batch(self, value: Any) -> Batch:
            if isinstance(value, dict):
                for found in entity_of("get").judge.violations(value):
                    value_used = repaired(found, read(value, found.pointer))
                    value = value if value_used is MISSING else replaced(value, found.pointer, value_used)
            return super().batch(value)

    mutant(name, _TYPES, description)(Changed)


def _is_text(found: Violation) -> bool:
    return found.pointer in ("/id", "/status", "/outputUrl")


def _is_count(found: Violation) -> bool:
    return found.pointer.startswith("/metrics/")


_repairing("missing-text-filled", "takes a missing text for an empty one",
           lambda found, there: "" if there is MISSING and _is_text(found) else MISSING)  # fmt: skip
_repairing("missing-count-is-zero", "takes a missing count for zero",
           lambda found, there: 0 if there is MISSING and _is_count(found) else MISSING)  # fmt: skip
_repairing("null-count-is-zero", "takes null for zero",
           lambda found, there: 0 if there is None and _is_count(found) else MISSING)  # fmt: skip
_repairing("text-count-taken", "takes a text of digits for a count",
           lambda found, there: int(there) if isinstance(there, str) and there.isdecimal() and _is_count(found)
           else MISSING)  # fmt: skip
_repairing("fraction-cut", "cuts fractions off counts",
           lambda found, there: int(there) if isinstance(there, float) and _is_count(found) else MISSING)  # fmt: skip
_repairing("true-is-one", "takes true for one",
           lambda found, there: int(there) if isinstance(there, bool) and _is_count(found) else MISSING)  # fmt: skip
_repairing("numbers-are-texts", "turns numbers into texts",
           lambda found, there: str(there) if isinstance(there, int) and _is_text(found) else MISSING)  # fmt: skip
_repairing("output-missing-taken", "does not miss outputUrl",
           lambda found, there: "" if there is MISSING and found.pointer == "/outputUrl" else MISSING)  # fmt: skip
_repairing("epoch-taken", "takes a number for a date",
           lambda found, there: "2024-01-15T10:30:00Z" if isinstance(there, int) and found.pointer == "/created_at"
           else MISSING)  # fmt: skip


def _accepting_any(name: str, description: str, pointer: str) -> None:
    class Changed(Faulty):
        def refuses(self, found: Violation, value: Any) -> bool:
            return found.pointer != pointer and super().refuses(found, value)

    mutant(name, _TYPES, description)(Changed)


_accepting_any("id-of-any-type", "hands over an id of any type", "/id")
_accepting_any("webhook-of-any-type", "hands over a webhookUrl of any type", "/webhookUrl")


@mutant("batch-unwrapped", _TYPES, "takes a batch out of a wrapping object")
class _Unwrapped(Faulty):
    def batch(self, value: Any) -> Batch:
        return super().batch(value["batch"] if isinstance(value, dict) and "batch" in value else value)


@mutant("error-body-is-batch", _TYPES, "makes an empty batch of an error body under 200")
class _ErrorIsBatch(Faulty):
    def batch(self, value: Any) -> Batch:
        if isinstance(value, dict) and "message" in value and "id" not in value:
            return empty_batch(self)
        return super().batch(value)
