"""What a judge says of a clause: how much it looked at, and what it found broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from batch_conformance.exchange import Exchange

#: What a side's judges look at: recorded exchanges for servers, outcomes for clients.
Material = TypeVar("Material")


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


#: A missing value, shown as such; None is JSON's null.
ABSENT: Any = _Absent()


@dataclass(frozen=True)
class Finding:
    """One piece of evidence against a clause.

    ``exchange`` is the request that proves it; clients that misreport without a request have None. ``prelude`` is
    what must be sent before it, where it takes more than one request to see it.
    """

    message: str
    expected: str
    actual: str
    exchange: Exchange | None = None
    prelude: tuple[Exchange, ...] = ()


@dataclass
class Judgement:
    """What one judge concluded. No finding and nothing looked at is *not exercised*, never a pass."""

    clause: str
    looked_at: int = 0
    findings: list[Finding] = field(default_factory=list)
    note: str = ""
    limits: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)

    def look(self, count: int = 1) -> None:
        """Count material that could have broken the clause."""
        self.looked_at += count

    def blame(
        self,
        exchange: Exchange | None,
        message: str,
        *,
        expected: str,
        actual: object,
        prelude: Sequence[Exchange] = (),
    ) -> None:
        """Record that the clause is broken, with what was promised and what came, and what had to come before."""
        shown = actual if isinstance(actual, str) else repr(actual)
        self.findings.append(Finding(message, expected, shown, exchange, tuple(prelude)))

    def remark(self, note: str) -> None:
        """Add to the reason of the verdict. What a pass did not see is said with :meth:`limit`."""
        if note and note not in self.note:
            self.note = f"{self.note}; {note}" if self.note else note

    def limit(self, text: str) -> None:
        """Record what a pass does not cover, in a few plain words; the same words count once."""
        if text and text not in self.limits:
            self.limits.append(text)

    def set_aside(self, clause: str, count: int = 1) -> None:
        """Leave ``count`` observations to the failure of another clause: they are no evidence either way."""
        if count > 0:
            self.explained[clause] = self.explained.get(clause, 0) + count


JudgeFunction = Callable[[Material, Judgement], None]


@dataclass(frozen=True)
class Judge(Generic[Material]):
    """A pure function that judges one clause, and the probes or cases whose record it needs."""

    clause: str
    needs: frozenset[str]
    function: JudgeFunction[Material]

    def __call__(self, material: Material) -> Judgement:
        """Judge the material. Never sends anything."""
        judgement = Judgement(self.clause)
        self.function(material, judgement)
        return judgement


class Bench(Generic[Material]):
    """The judges of one side, one a clause."""

    def __init__(self) -> None:
        self.judges: dict[str, Judge[Material]] = {}

    def judges_clause(
        self, clause: str, *, needs: Iterable[str] = ()
    ) -> Callable[[JudgeFunction[Material]], JudgeFunction[Material]]:
        """Register the decorated function as the judge of ``clause``."""

        def register(function: JudgeFunction[Material]) -> JudgeFunction[Material]:
            if clause in self.judges:
                raise ValueError(f"{clause} has a judge already")
            self.judges[clause] = Judge(clause, frozenset(needs), function)
            return function

        return register
