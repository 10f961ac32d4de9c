"""Which answer comes when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from batch_conformance.client_runner.stub.answers import StubResponse, error
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract import current_contract
from batch_conformance.contract.sendable import id_segment


class InOrder:
    """One answer after another, the last one ever after.

    Only a GET moves on to the next answer: a caller that first asks with HEAD does not use one up. ``places`` are
    what the placeholders of redirects stand for (`StubResponse.placed`).
    """

    def __init__(self, answers: Sequence[StubResponse], places: Mapping[str, str] | None = None) -> None:
        if not answers:
            raise ValueError("a stub needs at least one answer")
        self.places = dict(places or {})
        self._answers = tuple(answers)
        self._given = 0

    def __call__(self, request: RawRequest) -> StubResponse:
        """The answer whose turn it is."""
        answer = self._answers[min(self._given, len(self._answers) - 1)]
        if request.method == "GET":
            self._given += 1
        return answer.placed(self.places)


class ByTurn:
    """Answers call by call: each call of a play has its own sequence, however many requests it makes of it."""

    def __init__(self, turns: Sequence[Sequence[StubResponse]]) -> None:
        self._turns = [InOrder(answers) for answers in turns]
        self.turn = 0

    def begin(self, turn: int, places: Mapping[str, str]) -> None:
        """The next call, numbered from 0, is about to be made."""
        self.turn = turn
        self._turns[turn].places = dict(places)

    def __call__(self, request: RawRequest) -> StubResponse:
        """The next answer of the call that is under way."""
        return self._turns[min(self.turn, len(self._turns) - 1)](request)


class ByBatch:
    """Answers by the batch that is asked for, as a server does; 404 for one it does not have."""

    def __init__(self, answers: Mapping[str, StubResponse]) -> None:
        self._answers = dict(answers)

    def __call__(self, request: RawRequest) -> StubResponse:
        """The batch that the path ends in."""
        return self._answers.get(batch_of(request), error(404, "Batch not found"))


def batch_of(request: RawRequest) -> str:
    """The id that a request asks for, decoded; on a path of no operation, what it ends in."""
    return unquote(segment_of(request))


def segment_of(request: RawRequest) -> str:
    """The same as it came, percent-encoded."""
    path = request.target.partition("?")[0]
    operation = current_contract().operations.get("get")
    return (id_segment(operation, path) if operation else "") or path.rpartition("/")[2]
