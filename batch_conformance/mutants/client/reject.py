"""Faults with a 200 that holds no batch: ``client.reject.*``."""
# Hooks take more than most faults use, and a row of a table is read best whole.
# ruff: noqa: ARG005

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from batch_conformance.mutants.client.base import Faulty, Following, Registry, empty_batch
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()
_JSON = "reject.not-json"


_STATUS = "reject.other-status"


def _taken(name: str, description: str, taken: Callable[[int], bool], client: type[Faulty] = Faulty) -> None:
    """A client that reads the bodies of some statuses as those of a 200; one without a body stays an error."""

    class Taking(client):  # type: ignore[misc, valid-type]
        def read(self, answer: Answer) -> Batch:
            if taken(answer.status) and answer.body:
                answer = Answer(200, answer.headers, answer.body)
            batch: Batch = super().read(answer)
            return batch

    mutant(name, _STATUS, description)(Taking)


_taken("below-400-taken", "takes whatever comes under a status below 400", lambda status: status < 400)
_taken("302-taken", "takes the body of a 302", lambda status: status == 302)
_taken("307-taken", "takes the body of a 307 and a 308", lambda status: status in (307, 308))
_taken("206-taken", "takes a part for the whole", lambda status: status == 206)
_taken("300-taken", "takes what comes with several choices", lambda status: status == 300, Following)
_taken(
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


@mutant("quotes-tolerated", _JSON, "reads JSON with quotes of the wrong kind")
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


@mutant("members-by-pattern", _JSON, "looks for members in the text, JSON or not")
class _ByPattern(Faulty):
    def json(self, body: bytes) -> Any:
        try:
            return super().json(body)
        except BatchError:
            found = dict(
                re.findall(r'"(id|created_at|status|outputUrl)": "([^"]*)"', body.decode("utf-8", "replace"))
            )
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


@mutant("missing-text-filled", _TYPES, "takes a missing text for an empty one")
class _Filled(Faulty):
    def text(self, value: Mapping[str, Any], name: str) -> str:
        return super().text({name: "", **value} if name != "created_at" else value, name)


@mutant("missing-count-is-zero", _TYPES, "takes a missing count for zero")
class _CountIsZero(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        return super().count({name: 0, **value}, name)


@mutant("null-count-is-zero", _TYPES, "takes null for zero")
class _NullIsZero(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        return 0 if value.get(name, 1) is None else super().count(value, name)


@mutant("text-count-taken", _TYPES, "takes a text of digits for a count")
class _TextCount(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        number = value.get(name)
        return int(number) if isinstance(number, str) else super().count(value, name)


@mutant("fraction-cut", _TYPES, "cuts fractions off counts")
class _FractionCut(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        number = value.get(name)
        return int(number) if isinstance(number, float) else super().count(value, name)


@mutant("true-is-one", _TYPES, "takes true for one")
class _TrueIsOne(Faulty):
    def count(self, value: Mapping[str, Any], name: str) -> int:
        number = value.get(name)
        return int(number) if isinstance(number, bool) else super().count(value, name)


@mutant("numbers-are-texts", _TYPES, "turns numbers into texts")
class _NumbersAreTexts(Faulty):
    def text(self, value: Mapping[str, Any], name: str) -> str:
        item = value.get(name)
        return str(item) if isinstance(item, int) and name != "created_at" else super().text(value, name)


@mutant("null-id-taken", _TYPES, "hands over an id that is null")
class _NullId(Faulty):
    def text(self, value: Mapping[str, Any], name: str) -> Any:
        return None if name == "id" and value.get(name, 1) is None else super().text(value, name)


@mutant("output-missing-taken", _TYPES, "does not miss outputUrl")
class _OutputMissing(Faulty):
    def text(self, value: Mapping[str, Any], name: str) -> str:
        return "" if name == "outputUrl" and name not in value else super().text(value, name)


@mutant("epoch-taken", _TYPES, "takes a number for a date")
class _Epoch(Faulty):
    def text(self, value: Mapping[str, Any], name: str) -> str:
        if name == "created_at" and isinstance(value.get(name), int):
            return "2024-01-15T10:30:00Z"
        return super().text(value, name)


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


@mutant("webhook-of-any-type", _TYPES, "hands over a webhookUrl of any type")
class _AnyWebhook(Faulty):
    def optional_text(self, value: Mapping[str, Any], name: str) -> Any:
        return value.get(name)
