"""Choice of the response to each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from batch_conformance.client_runner.stub.answers import StubResponse, error
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract import current_contract
from batch_conformance.contract.sendable import id_segment


class InOrder:
    """Gives responses in order, the last one repeatedly.

    Only a GET moves on to the next response; a HEAD does not use one up. ``places`` are
    the values of placeholders in redirects (`StubResponse.placed`).
    """

    def __init__(self, answers: Sequence[StubResponse], places: Mapping[str, str] | None = None) -> None:
        if not answers:
            raise ValueError("a stub needs at least one answer")
        self.places = dict(places or {})
        self._answers = tuple(answers)
        self._given = 0

    def __call__(self, request: RawRequest) -> StubResponse:
        """Return the next response."""
        answer = self._answers[min(self._given, len(self._answers) - 1)]
        if request.method == "GET":
            self._given += 1
        return answer.placed(self.places)


class ByTurn:
    """Gives responses call by call: each call of a case has its own sequence, whatever its number of requests."""

    def __init__(self, turns: Sequence[Sequence[StubResponse]]) -> None:
        self._turns = [InOrder(answers) for answers in turns]
        self.turn = 0

    def begin(self, turn: int, places: Mapping[str, str]) -> None:
        """Start the next call, numbered from 0."""
        self.turn = turn
        self._turns[turn].places = dict(places)

    def __call__(self, request: RawRequest) -> StubResponse:
        """Return the next response of the current call."""
        return self._turns[min(self.turn, len(self._turns) - 1)](request)


class ByBatch:
    """Gives responses by requested batch, as a server does; 404 for an unknown one."""

    def __init__(self, answers: Mapping[str, StubResponse]) -> None:
        self._answers = dict(answers)

    def __call__(self, request: RawRequest) -> StubResponse:
        """Return the response for the batch id in the path."""
        return self._answers.get(batch_of(request), error(404, "Batch not found"))


def batch_of(request: RawRequest) -> str:
    """Return the requested batch id, decoded; the last segment if the path is of no operation."""
    return unquote(segment_of(request))


def segment_of(request: RawRequest) -> str:
    """Return the requested batch id as received, percent-encoded."""
    path = request.target.partition("?")[0]
    operations = current_contract().operations.values()
    found = [id_segment(operation, path) for operation in operations if operation.id_parameter]
    # An id may contain slashes, so that the path of an operation below a batch is one of Get Batch as well.
    return min(filter(None, found), key=len, default="") or path.rpartition("/")[2]
