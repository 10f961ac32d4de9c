"""Handling of 429: how long a response asks to wait, and how long a run waits at most."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.http import Exchange
from batch_conformance.server_runner.planned_request import PlannedRequest

#: Seconds that a run may wait because of 429s: in all, and at once.
MAX_WAIT_TOTAL = 120.0
MAX_WAIT = 60.0
#: Seconds of waiting with no response but 429, after which the target is expected to go on with it.
MAX_WAIT_IN_VAIN = 45.0
#: Upper limit for Retry-After, in seconds: some values are absurdly large.
_MAX_RETRY_AFTER = 1e6
#: The longest wait in seconds if a 429 has no Retry-After.
_MAX_DEFAULT_WAIT = 8.0
#: Headers in which limiters state their limits.
_LIMIT_HEADERS = ("ratelimit-policy", "ratelimit-limit", "x-ratelimit-limit")
#: Attempts of a request without the valid key on 429.
_MAX_TRIES_WITHOUT_KEY = 3


class RateLimit:
    """State of waiting for a target's rate limiter. ``url`` is the target's, for messages."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wait_left = MAX_WAIT_TOTAL
        self._given_up: set[str] = set()
        self._waited_in_vain = 0.0
        self._was_served = False

    def served(self) -> None:
        """Record a response other than 429."""
        self._waited_in_vain = 0.0
        self._was_served = True

    def wait_out(self, send: PlannedRequest, exchange: Exchange, tries: int) -> bool:
        """Wait as long as a 429 asks, and return True; return False to accept the 429 as the response.

        ``tries`` counts the earlier 429s to this request. Raises :class:`CouldNotRun` if the wait would be
        too long.
        """
        wait = retry_after(exchange, otherwise=min(2.0**tries, _MAX_DEFAULT_WAIT))
        # Limiters with a window of a minute ask clients they have served before for one long wait.
        first = self._was_served and not self._waited_in_vain
        endless = self._waited_in_vain + wait > (MAX_WAIT if first else MAX_WAIT_IN_VAIN) or wait > self._wait_left
        # A server may block clients that keep sending unauthenticated requests: their other responses are not
        # seen.
        unauthenticated = send.key.kind != "valid"
        if unauthenticated and (endless or tries + 1 >= _MAX_TRIES_WITHOUT_KEY or send.probe in self._given_up):
            self._given_up.add(send.probe)
            return False
        if endless:
            raise CouldNotRun(
                f"{self._url} keeps answering 429 (after {self._waited_in_vain:g} s of waiting, "
                f"asked to wait {wait:g} s more): lower --batch-rate, or come back later"
            )
        # A wait of 0 s still counts, so that a server that only ever answers 429 ends the run.
        self._waited_in_vain += max(wait, 1.0)
        self._wait_left -= max(wait, 1.0)
        time.sleep(wait)
        return True


def is_rate_limited(exchange: Exchange) -> bool:
    """Whether a response is a 429 that was not staged."""
    return exchange.status == 429 and exchange.intent.staged != 429


def budget_hints(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Yield a hint with a sufficient rate, if the run was limited by 429."""
    limited = sum(map(is_rate_limited, exchanges))
    served = [exchange for exchange in exchanges if exchange.response is not None and exchange.status != 429]
    if not limited or not served:
        return
    stated = dict.fromkeys(
        f"{name}: {value}"
        for exchange in exchanges
        if exchange.response is not None
        for name in _LIMIT_HEADERS
        for value in exchange.response.header_values(name)[:1]
    )
    seconds = max(exchange.ended for exchange in served) - min(exchange.started for exchange in served)
    rate = max(1, int(len(served) / seconds)) if seconds > 0 else 1
    budget = f" (it states {', '.join(list(stated)[:2])})" if stated else ""
    yield (
        f"told to wait {limited} {'time' if limited == 1 else 'times'} by 429{budget}; {len(served)} answers came in "
        f"{seconds:.0f} s: with --batch-rate {rate}/s it need not wait"
    )


def retry_after(exchange: Exchange, otherwise: float = 1.0) -> float:
    """Return the seconds of Retry-After (RFC 9110, 10.2.3: seconds or a date), else ``otherwise``."""
    values = exchange.response.header_values("retry-after") if exchange.response else []
    if not values:
        return otherwise
    text = values[0].strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _MAX_RETRY_AFTER)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return otherwise
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
