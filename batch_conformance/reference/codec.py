"""What the reference client sends for a call, and what it makes of an answer: no network, and nothing of the suite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import quote

import httpx

_COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")


@dataclass(frozen=True)
class Metrics:
    """Progress counts of a batch; they need not add up to the total before the end."""

    total_generations: int
    success_count: int
    failed_count: int
    pending_count: int


@dataclass(frozen=True)
class Batch:
    """A batch. ``status`` may be one that is not documented yet; ``created_at`` is aware of its offset."""

    id: str
    created_at: datetime
    status: str
    metrics: Metrics
    output_url: str
    webhook_url: str | None


class BatchError(Exception):
    """Why a call gave no batch. ``kind`` is the driver protocol's word for it, ``status`` the HTTP status if any."""

    def __init__(self, kind: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes


class Codec:
    """What to send for an id, and what an answer means. ``timeout`` is the deadline of a call in seconds."""

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.timeout = timeout

    def url(self, batch_id: str) -> str:
        """Where to ask for a batch. Raises :class:`BatchError` for ids that no path segment can carry."""
        if batch_id in ("", ".", ".."):
            # A path with these leads elsewhere, encoded or not (RFC 3986, 5.2.4).
            raise BatchError("invalid_argument", f"{batch_id!r} cannot be a batch id")
        return f"{self.base_url}/v2/batch/{self.segment(batch_id)}"

    def list_url(self, filters: Mapping[str, str | datetime | None]) -> str:
        """Where to ask for the list, with the filters that are given. Raises :class:`BatchError` for a naive date."""
        query = {name: self.filter(name, value) for name, value in filters.items() if value is not None}
        # Percent-encoded to the last character: a bare + would arrive as a space.
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
        return f"{self.base_url}/v2/batch" + (f"?{pairs}" if pairs else "")

    def filter(self, name: str, value: str | datetime) -> str:
        """A filter as it is sent: a date with its offset."""
        if isinstance(value, str):
            return value
        if value.tzinfo is None:
            raise BatchError("invalid_argument", f"{name} has no offset")
        return value.isoformat()

    def segment(self, batch_id: str) -> str:
        """An id as one path segment."""
        return quote(batch_id, safe="")

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        return {"x-api-key": self.api_key, "accept": "application/json"}

    def read(self, answer: Answer) -> Batch:
        """The batch in an answer. Raises :class:`BatchError` when there is none."""
        if answer.status != 200:
            raise self.error(answer)
        return self.batch(self.json(answer.body))

    def read_list(self, answer: Answer) -> list[Batch]:
        """The batches in an answer, in its order. Raises :class:`BatchError` when one of them cannot be read."""
        if answer.status != 200:
            raise self.error(answer)
        return self.entries(self.json(answer.body))

    def entries(self, value: Any) -> list[Batch]:
        """The batches of a list from its JSON."""
        if not isinstance(value, list):
            raise _undocumented(f"the body is {type(value).__name__}, not an array")
        return [self.batch(entry) for entry in value]

    def error(self, answer: Answer) -> BatchError:
        """The error that an answer other than 200 is, whatever its body."""
        return BatchError(self.kind(answer.status), self.message(answer), answer.status)

    def kind(self, status: int) -> str:
        """The kind of error that a status is."""
        if 500 <= status < 600:
            return "server_error"
        return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status, "http")

    def message(self, answer: Answer) -> str:
        """What the server says about an error, in one text, its status in front."""
        said: Any = None
        try:
            body = json.loads(answer.body)
            said = body.get("message") if isinstance(body, dict) else None
        except (ValueError, RecursionError):
            pass
        texts = [text for text in (said if isinstance(said, list) else [said]) if isinstance(text, str)]
        return f"{answer.status}: {'; '.join(texts) or 'the server gave no reason'}"

    def json(self, body: bytes) -> Any:
        """A body as JSON."""
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _undocumented(f"the body is not JSON ({error})") from None

    def batch(self, value: Any) -> Batch:
        """A batch from the JSON of an answer; members beyond the documented ones are ignored."""
        if not isinstance(value, dict):
            raise _undocumented(f"the body is {type(value).__name__}, not an object")
        return Batch(
            id=self.text(value, "id"),
            created_at=self.instant(self.text(value, "created_at")),
            status=self.status(value),
            metrics=self.metrics(value.get("metrics")),
            output_url=self.text(value, "outputUrl"),
            webhook_url=self.optional_text(value, "webhookUrl"),
        )

    def status(self, value: Mapping[str, Any]) -> str:
        """The status, handed on as it is: a new one is no reason to fail."""
        return self.text(value, "status")

    def metrics(self, value: Any) -> Metrics:
        """The four counts."""
        if not isinstance(value, dict):
            raise _undocumented("metrics is not an object")
        return Metrics(**{name: self.count(value, name) for name in _COUNTS})

    def count(self, value: Mapping[str, Any], name: str) -> int:
        """One count: an integer, however large."""
        number = value.get(name)
        if type(number) is float and number.is_integer():
            number = int(number)  # 5.0 is an integer to JSON Schema
        if type(number) is not int:
            raise _undocumented(f"metrics.{name} is not an integer")
        return number

    def text(self, value: Mapping[str, Any], name: str) -> str:
        """A member that must be a string."""
        text = value.get(name)
        if not isinstance(text, str):
            raise _undocumented(f"{name} is not a string")
        return text

    def optional_text(self, value: Mapping[str, Any], name: str) -> str | None:
        """A member that may be a string, null or absent."""
        return None if value.get(name) is None else self.text(value, name)

    def instant(self, text: str) -> datetime:
        """An RFC 3339 date-time, to the microsecond; its ``t`` and ``z`` may be in lower case (5.6)."""
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError:
            raise _undocumented("created_at is not a date-time") from None
        if instant.tzinfo is None:
            raise _undocumented("created_at has no offset")
        return instant

    def as_reply(self, batch: Batch) -> dict[str, Any]:
        """A batch under the wire's names, for the adapter."""
        return {
            "id": batch.id,
            "created_at": batch.created_at.isoformat(),
            "status": batch.status,
            "metrics": asdict(batch.metrics),
            "outputUrl": batch.output_url,
            "webhookUrl": batch.webhook_url,
        }


def _undocumented(what: str) -> BatchError:
    return BatchError("decode", f"the answer is not what is documented: {what}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
