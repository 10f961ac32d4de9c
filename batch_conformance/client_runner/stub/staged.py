"""A stub for the tests of a client: answers staged by name, requests there to be looked at."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from batch_conformance.client_runner.stub import answers
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.choose import InOrder, segment_of
from batch_conformance.client_runner.stub.records import exchange_of
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import read
from batch_conformance.http import Exchange, Intent


def _state(status: str, success: int, failed: int, pending: int) -> StubResponse:
    counts = {"success_count": success, "failed_count": failed, "pending_count": pending}
    unfinished = {} if status == "COMPLETED" else {"outputUrl": "", "webhookUrl": None}
    return answers.batch(status=status, metrics=counts, **unfinished)


#: A batch of five in each of its states, in the order of progress; ``FAILED`` is the other end.
STATES: dict[str, StubResponse] = {
    "PENDING": _state("PENDING", 0, 0, 0),
    "JOBS_CREATED": _state("JOBS_CREATED", 0, 0, 5),
    "PROCESSING": _state("PROCESSING", 3, 0, 2),
    "COMPLETED": _state("COMPLETED", 4, 1, 0),
    "FAILED": _state("FAILED", 0, 5, 0),
}


class BatchStub:
    """A server of your own for one test: point your client at ``url`` and stage what it shall meet.

        with BatchStub() as stub:
            stub.rate_limited(retry_after=1).completed()
            ...
            assert len(stub.requests) == 2

    Answers come one a request, in the order in which they were staged; the last one stays. Nothing staged: the
    reference page's batch. The ids in answers are the ones that are asked for.
    """

    def __init__(self, port: int = 0) -> None:
        self._staged: list[StubResponse] = []
        self._order: InOrder | None = None
        self._server = StubServer(self._choose, port=port)
        self.url = self._server.url

    def answer(self, *staged: StubResponse) -> Self:
        """Stage any answers, made with ``batch_conformance.client_runner.stub.answers``."""
        self._staged += staged
        self._order = None
        return self

    def batch(self, **members: Any) -> Self:
        """A batch, the example with these members changed."""
        return self.answer(answers.batch(**members))

    def completed(self) -> Self:
        """A completed batch."""
        return self.batch()

    def failed(self) -> Self:
        """A failed batch."""
        return self.answer(STATES["FAILED"])

    def processing_then_completed(self) -> Self:
        """A batch that moves on with every request: PENDING, JOBS_CREATED, PROCESSING, COMPLETED."""
        return self.answer(*list(STATES.values())[:4])

    def unauthorized(self) -> Self:
        """A 401."""
        return self.answer(answers.error(401).with_header("WWW-Authenticate", "ApiKey"))

    def not_found(self) -> Self:
        """A 404."""
        return self.answer(answers.error(404, "Batch not found"))

    def rate_limited(self, retry_after: int | None = 1) -> Self:
        """A 429, with Retry-After in seconds unless that is None."""
        limited = answers.error(429, "Too many requests", errorCode="rate_limit_exceeded")
        return self.answer(
            limited if retry_after is None else limited.with_header("Retry-After", str(retry_after))
        )

    def server_error(self, status: int = 500) -> Self:
        """A 5xx."""
        return self.answer(answers.error(status))

    def html(self, status: int = 200) -> Self:
        """A page for people."""
        return self.answer(answers.html(status))

    def cut_off(self) -> Self:
        """Half a batch, then the end of the connection."""
        return self.answer(answers.batch().cut_off())

    def reset(self) -> Self:
        """A reset connection instead of an answer."""
        return self.answer(answers.batch().reset())

    def silent(self) -> Self:
        """No answer, ever."""
        return self.answer(answers.silence())

    def dripping(self, every: float = 0.2) -> Self:
        """A byte every so many seconds, without end."""
        return self.answer(answers.batch().dripping(every=every))

    @property
    def requests(self) -> list[Exchange]:
        """What came in so far, each with the answer it got."""
        rows = enumerate(self._server.seen, 1)
        return [exchange_of(seen, number, Intent("stub", "", "known", "valid")) for number, seen in rows]

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _choose(self, request: RawRequest) -> StubResponse:
        if self._order is None:
            # Staged anew: what was used up before stays used up.
            used = self._server.log.count()
            left = self._staged[used:] or self._staged[-1:] or [answers.batch()]
            self._order = InOrder(left, {"own": self.url})
        return with_asked_id(self._order(request), request)


def with_asked_id(answer: StubResponse, request: RawRequest) -> StubResponse:
    """The answer, the example's id replaced by the one that the request asks for."""
    echo = entity_of("get").echo
    shown = read(answers.example(), echo) if echo else None
    if not isinstance(shown, str):
        return answer
    return answer.with_body(answer.body.replace(shown.encode(), segment_of(request).encode("ascii", "ignore")))
