"""Detects an unresponsive target: stop early if it is down, go on if only some requests time out.

After a request without a response, one that was answered before is sent again: its response tells whether the
target is down or ignored that request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice

from batch_conformance.contract.statuses import error_body
from batch_conformance.http import Exchange
from batch_conformance.server_runner.planned_request import PlannedRequest

#: A kind of request: kind of id, kind of key, whether it is a GET, operation.
Kind = tuple[str, str, bool, str]

#: Consecutive timeouts of one kind of request, after which that kind is not sent again.
_MAX_TIMEOUTS_OF_A_KIND = 2
#: Timeouts in a run after which each kind has a single chance, and after which nothing more is sent.
_FEW_TIMEOUTS, _MAX_TIMEOUTS = 3, 12
#: Liveness requests sent before a target counts as down, if time allows.
_LIVENESS_REQUESTS = 5
#: How many times as long as the slowest response so far a liveness request may take.
_SLOWDOWN = 4
#: Crashes by one kind of request, and in all, after which no more of them are sent.
_MAX_CRASHES_OF_A_KIND, _MAX_CRASHES = 2, 6
#: Statuses that a gateway answers with when the application is down or overloaded.
_GATEWAY_STATUSES = frozenset({502, 503, 504})


class GivenUp(Exception):
    """Requests of this kind timed out or crashed the target too often. The rest of the probe is not sent."""


class Liveness:
    """Which requests the target answered, and which it did not.

    ``timeout`` is that of one exchange, in seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._last_answered: PlannedRequest | None = None
        self.healthy: PlannedRequest | None = None
        """The last read of a known batch that was answered with 200."""
        self._slowest = 0.0
        self._streak = 0
        self._doubtful_streak = 1
        self._consecutive_timeouts: Counter[Kind] = Counter()
        self._crashes: Counter[Kind] = Counter()
        self._timeouts = 0

    @property
    def was_ever_answered(self) -> bool:
        """Whether the target itself, not a gateway in front of it, has answered any request."""
        return self._last_answered is not None

    def consider(self, send: PlannedRequest) -> None:
        """Raise :class:`GivenUp` if requests like this one timed out or crashed the target too often."""
        chances = _MAX_TIMEOUTS_OF_A_KIND if self._timeouts < _FEW_TIMEOUTS else 1
        label = send.intent.label or "with the valid key"
        if self._timeouts >= _MAX_TIMEOUTS:
            raise GivenUp(f"nothing more was sent: {self._timeouts} requests had no whole answer in time")
        if self._crashes.total() >= _MAX_CRASHES:
            raise GivenUp(f"nothing more was sent: {self._crashes.total()} requests brought the target down")
        if self._crashes[kind_of(send)] >= _MAX_CRASHES_OF_A_KIND:
            raise GivenUp(f"requests like this one bring the target down, and were not sent again: {label}")
        if self._consecutive_timeouts[kind_of(send)] >= chances:
            raise GivenUp(f"requests like this one were left unanswered, and not sent again: {label}")

    def note(self, send: PlannedRequest, exchange: Exchange) -> bool:
        """Record the outcome of a request. Returns True if it is doubtful that the target is up."""
        if is_alive(exchange):
            self._last_answered = send
            if exchange.status == 200 and send.method == "GET" and kind_of(send)[:2] == ("known", "valid"):
                self.healthy = send
            self._slowest = max(self._slowest, exchange.ended - exchange.started)
            self._streak = 0
            self._consecutive_timeouts[kind_of(send)] = 0
            return False
        self._streak += 1
        if exchange.failure is not None and exchange.failure.kind == "timeout":
            self._timeouts += 1
            self._consecutive_timeouts[kind_of(send)] += 1
            return True
        refused = exchange.failure is not None and exchange.failure.kind == "refused"
        return (refused and self.was_ever_answered) or self._streak >= self._doubtful_streak

    def signs(self, otherwise: PlannedRequest) -> Iterator[tuple[PlannedRequest, float]]:
        """Yield liveness requests, each with its timeout in seconds; in total about one timeout.

        ``otherwise`` is used as long as nothing has been answered.
        """
        if self._last_answered is None:
            yield otherwise, self._timeout
            return
        each = min(self._timeout, max(self._timeout / _LIVENESS_REQUESTS, _SLOWDOWN * self._slowest))
        # The last answered request may have crashed the target, so a healthy read comes first.
        candidates = [send for send in (self.healthy, self._last_answered) if send is not None]
        for send in islice(cycle(candidates), max(int(self._timeout / each), len(candidates))):
            yield send, each

    def note_alive(self) -> None:
        """Record that the target is up.

        The next check takes a longer streak, since each one costs requests.
        """
        self._doubtful_streak *= 2
        self._streak = 0

    def note_crash(self, send: PlannedRequest) -> None:
        """Record that a request crashed the target, and did so again when repeated."""
        self._crashes[kind_of(send)] += 1
        self._streak = 0


def is_answer(exchange: Exchange) -> bool:
    """Whether a response came in time, complete or not."""
    timed_out = exchange.failure is not None and exchange.failure.kind == "timeout"
    return exchange.response is not None and not timed_out


def is_alive(exchange: Exchange) -> bool:
    """Whether the target itself answered in time."""
    return is_answer(exchange) and not is_from_gateway(exchange)


def is_from_gateway(exchange: Exchange) -> bool:
    """Whether a 502, 503 or 504 is a gateway's: its body is not the API's, or it has a Retry-After header."""
    if exchange.response is None or exchange.status not in _GATEWAY_STATUSES:
        return False
    value = exchange.response.json.value
    documented = error_body(exchange.intent.operation)
    own = isinstance(value, dict) and documented is not None and value.keys() >= set(documented.required)
    return not own or bool(exchange.response.header_values("retry-after"))


def kind_of(send: PlannedRequest) -> Kind:
    """Return the kind of a request."""
    intent = send.intent
    return intent.id_kind, intent.key_kind, send.method == "GET", intent.operation
