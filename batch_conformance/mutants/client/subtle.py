"""Faults that only a special case shows, found by writing faulty clients without knowing the cases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from batch_conformance.mutants.client.base import Faulty, Following, Registry
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()


@mutant("prefix-lower-case", "request.target", "writes the base URL in lower case")
class _PrefixLowerCase(Faulty):
    def url(self, batch_id: str) -> str:
        return super().url(batch_id).replace(self.base_url, self.base_url.lower())


@mutant("empty-query", "request.target", "leaves a question mark behind the id", "request.id-encoding")
class _EmptyQuery(Faulty):
    def url(self, batch_id: str) -> str:
        return f"{super().url(batch_id)}?"

    def ask(self, url: str) -> Any:
        # httpx drops an empty query, so the target is given as bytes.
        target = httpx.URL(url).raw_path.rstrip(b"?") + b"?"
        return self._http.stream("GET", url, headers=self.headers(), extensions={"target": target})


@mutant("id-as-number", "request.id-encoding", "takes ids of digits for numbers")
class _IdAsNumber(Faulty):
    def segment(self, batch_id: str) -> str:
        return str(int(batch_id)) if batch_id.isdecimal() else super().segment(batch_id)


@mutant("id-as-latin-1", "request.id-encoding", "sends ids as Latin-1 where they fit")
class _IdAsLatin1(Faulty):
    def segment(self, batch_id: str) -> str:
        try:
            raw = batch_id.encode("latin-1")
        except UnicodeEncodeError:
            return super().segment(batch_id)
        return super().segment(batch_id) if raw.isascii() else "".join(f"%{byte:02X}" for byte in raw)


@mutant("key-in-hex", "auth.only-there", "sends the key in hexadecimal too")
class _KeyInHex(Faulty):
    def headers(self) -> dict[str, str]:
        return super().headers() | {"x-client-token": self.api_key.encode().hex()}


@mutant("key-in-cookie-upper-case", "auth.only-there", "sends the key in a cookie too, in upper case")
class _KeyUpperCase(Faulty):
    def headers(self) -> dict[str, str]:
        return super().headers() | {"cookie": f"session={self.api_key.upper()}"}


def _pooled(name: str, description: str, pool: Callable[[str], object]) -> None:
    class Pooled(Faulty):
        """Reuses the first key for all keys for which ``pool`` returns the same value."""

        def headers(self) -> dict[str, str]:
            key = self.memory.setdefault(repr((self.base_url, pool(self.api_key))), self.api_key)
            return super().headers() | {"x-api-key": key}

    mutant(name, "auth.per-call", description)(Pooled)


_pooled("keys-by-prefix", "tells keys apart by how they begin", lambda key: key[:8])
_pooled("keys-by-end", "tells keys apart by how they end", lambda key: key[-4:])
_pooled("keys-by-length", "tells keys apart by their length", len)
_pooled("keys-without-case", "tells keys apart without their case", str.casefold)


@mutant("key-in-a-global", "auth.per-call", "keeps the key of the latest call where all calls find it")
class _KeyInAGlobal(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        self.memory["key"] = self.api_key
        return super().get_batch(batch_id)

    def headers(self) -> dict[str, str]:
        return super().headers() | {"x-api-key": self.memory["key"]}


@mutant("address-in-a-global", "auth.per-call", "keeps the address of the latest call where all calls find it")
class _AddressInAGlobal(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        self.memory["address"] = self.base_url
        return super().get_batch(batch_id)

    def url(self, batch_id: str) -> str:
        return super().url(batch_id).replace(self.base_url, self.memory["address"], 1)


@mutant("closed-after-one-call", "decode.fresh", "asks for a batch once, and is closed then")
class _ClosedAfterOne(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        if (call := f"{self.base_url} {batch_id}") in self.memory:
            raise BatchError("other", "RuntimeError: the client has been closed")
        self.memory[call] = True
        return super().get_batch(batch_id)


@mutant("errors-not-drained", "decode.fresh", "leaves an error's body on the connection, where the next call meets it")
class _NotDrained(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        if self.memory.pop("left at", None) == self.base_url:
            raise BatchError("transport", "ResponseNotReady: Request-sent")
        answer = super().send(url, deadline)
        if answer.status >= 400:
            self.memory["left at"] = self.base_url
        return answer


@mutant("stale-on-500", "decode.fresh", "hands on the last batch when the server fails")
class _StaleOn500(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        try:
            batch: Batch = super().get_batch(batch_id)
        except BatchError as error:
            if error.status == 500 and batch_id in self.memory:
                return self.memory[batch_id]  # type: ignore[no-any-return]
            raise
        self.memory[batch_id] = batch
        return batch


@mutant("several-messages-undecodable", "error.404", "cannot read an error with several messages")
class _SeveralMessages(Faulty):
    def error(self, answer: Answer) -> BatchError:
        several = _member(answer, "message")
        if answer.status == 404 and several and isinstance(several, list) and isinstance(several[0], str):
            return BatchError("decode", "message is not a string", None)
        return super().error(answer)


@mutant("first-deadline-stays", "fault.timeout", "keeps the deadline of the first call at a server")
class _FirstDeadline(Faulty):
    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, self.memory.setdefault(base_url, timeout))


@mutant("id-handed-as-number", "decode.fields", "hands over ids of digits as numbers")
class _IdHandedAsNumber(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        return super().as_reply(batch) | ({"id": int(batch["id"])} if batch["id"].isdecimal() else {})


@mutant("odd-id-refused", "decode.fields", "refuses a batch whose id is not of plain characters")
class _OddIdRefused(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        if not re.fullmatch(r"[\w-]+", batch["id"]):
            raise BatchError("decode", "not an id")
        return batch


@mutant("401-with-the-last-key", "auth.per-call", "asks again with the key that worked last", "retry.never-401-404")
class _LastKey(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        answer = super().send(url, deadline)
        if answer.status == 200:
            self.memory[self.base_url] = self.api_key
        last = self.memory.get(self.base_url, self.api_key)
        if answer.status == 401 and last != self.api_key:
            self.api_key = last
            answer = super().send(url, deadline)
        return answer


@mutant("redirect-300", "auth.redirect", "follows a 300 with the key")
class _Redirect300(Following):
    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        answer = super().hop(url, deadline, with_key)
        if answer.status == 300 and "location" in answer.headers:
            return super().hop(answer.headers["location"], deadline, True)
        return answer


@mutant("most-of-key-in-error", "auth.not-in-errors", "hides the last four characters of a key in errors")
class _MostOfKey(Faulty):
    def message(self, answer: Answer) -> str:
        return f"{super().message(answer)} (key {self.api_key[:-4]}****)"


def _read_fault(name: str, clause: str, description: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Register a client whose decoded 200 body ``change`` modifies in place."""

    class Changed(Faulty):
        def batch(self, value: Any) -> Batch:
            if isinstance(value, dict):
                change(value)
            return super().batch(value)

    mutant(name, clause, description)(Changed)


def _without_case(value: dict[str, Any]) -> None:
    known = {name.lower(): name for name in ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")}
    for name in list(value):
        value[known.get(name.lower(), name)] = value[name]


def _refusing_other_case(value: dict[str, Any]) -> None:
    if len({name.lower() for name in value}) < len(value):
        raise BatchError("decode", "a member stands twice")


def _by_alias(value: dict[str, Any]) -> None:
    for alias, name in (
        ("output_url", "outputUrl"),
        ("webhook_url", "webhookUrl"),
        ("createdAt", "created_at"),
    ):
        if alias in value:
            value[name] = value[alias]


_UNKNOWN = "decode.unknown-fields"
_read_fault("names-without-case", "decode.unknown-fields-case", "knows members in any case, the last one wins",
            _without_case)  # fmt: skip
_read_fault("names-without-case-refused", "decode.unknown-fields-case", "takes names in another case for duplicates",
            _refusing_other_case)  # fmt: skip
_read_fault("names-in-another-style", _UNKNOWN, "knows members in another style, and prefers it", _by_alias)


@mutant("message-is-error", _UNKNOWN, "takes a 200 with a message for an error")
class _MessageIsError(Faulty):
    def batch(self, value: Any) -> Batch:
        if isinstance(value, dict) and "message" in value:
            raise BatchError("other", str(value["message"]))
        return super().batch(value)


@mutant("status-by-prefix", "decode.unknown-status", "takes what begins like a status for that status")
class _StatusByPrefix(Faulty):
    def enumerated(self, value: str, known: Sequence[Any]) -> str:
        return next((one for one in known if value.startswith(one)), value)


@mutant("id-in-lower-case", "decode.fields", "hands over the id in lower case", "decode.id")
class _IdInLowerCase(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        reply = super().as_reply(batch)
        return reply | {"id": reply["id"].lower()}


@mutant("urls-upgraded", "decode.fields", "makes https of http in URLs")
class _Upgraded(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        reply = super().as_reply(batch)
        webhook = reply["webhookUrl"]
        return reply | {"webhookUrl": webhook and webhook.replace("http://", "https://")}


@mutant("lines-joined", "decode.transfer", "takes line separators out of a body")
class _LinesJoined(Faulty):
    def json(self, body: bytes) -> Any:
        return super().json("".join(body.decode("utf-8", "replace").splitlines()).encode())


@mutant("webhook-remembered", "decode.fresh", "keeps the webhookUrl of an earlier answer")
class _WebhookRemembered(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        reply = super().as_reply(batch)
        if batch["webhookUrl"] is not None:
            self.memory[batch["id"]] = batch["webhookUrl"]
        return reply | {"webhookUrl": self.memory.get(batch["id"])}


@mutant("third-call-cached", "decode.fresh", "answers from the third call on from memory")
class _ThirdCached(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        calls: list[Batch] = self.memory.setdefault(f"{self.base_url} {batch_id}", [])
        if len(calls) < 2:
            calls.append(super().get_batch(batch_id))
        return calls[-1]


@mutant("more-behind-ignored", "reject.lenient-json", "reads the first JSON value, and ignores what follows")
class _RawDecode(Faulty):
    def json(self, body: bytes) -> Any:
        try:
            return json.JSONDecoder().raw_decode(body.decode("utf-8").lstrip())[0]
        except ValueError:
            return super().json(body)


def _error_fault(name: str, clause: str, description: str, change: Callable[[Answer], BatchError | None]) -> None:
    class Changed(Faulty):
        def error(self, answer: Answer) -> BatchError:
            return change(answer) or super().error(answer)

    mutant(name, clause, description)(Changed)


def _member(answer: Answer, name: str) -> Any:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    return body.get(name) if isinstance(body, dict) else None


_CODES = {"not_found": 404, "unauthorized": 401, "rate_limited": 429}
_WINS = "error.status-line-wins"


def _by_code(answer: Answer) -> BatchError | None:
    code = _member(answer, "errorCode")
    return BatchError(code, "as the code says", _CODES[code]) if code in _CODES else None


def _by_text(answer: Answer) -> BatchError | None:
    written = _member(answer, "statusCode")
    kinds = {"401": "unauthorized", "404": "not_found"}
    return (
        BatchError(kinds[written], "as the body says", int(written))
        if isinstance(written, str) and written in kinds
        else None
    )


_error_fault("error-code-wins", _WINS, "goes by the errorCode where it knows it", _by_code)
_error_fault("status-as-text-wins", _WINS, "goes by a statusCode that is text", _by_text)
_error_fault(
    "504-without-status", "error.other-status", "calls a 504 a timeout, without its status",
    lambda answer: BatchError("timeout", "gateway timeout") if answer.status == 504 else None,
)  # fmt: skip
_error_fault(
    "599-as-transport", "error.other-status", "takes a 599 for a broken connection",
    lambda answer: BatchError("transport", "599") if answer.status == 599 else None,
)  # fmt: skip
_error_fault(
    "code-for-message", "error.message", "shows the errorCode in place of the message",
    lambda answer: BatchError("http", _member(answer, "errorCode"), answer.status)
    if answer.status == 400 and _member(answer, "errorCode") else None,
)  # fmt: skip


@mutant("401-retried-after", "retry.never-401-404", "retries a 401 that says when", "request.single")
class _RetriedAfter(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        answer = super().send(url, deadline)
        return super().send(url, deadline) if answer.status == 401 and "retry-after" in answer.headers else answer


@mutant("truncated-as-other", "fault.truncated", "has no name for an answer that is cut off")
class _TruncatedAsOther(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        try:
            return super().send(url, deadline)
        except BatchError as error:
            if "peer closed" in str(error) or "incomplete" in str(error):
                raise BatchError("other", "IncompleteRead") from None
            raise
