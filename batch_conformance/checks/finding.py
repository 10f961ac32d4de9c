"""What a judge says of a clause: how much it looked at, and what it found broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from batch_conformance.contract import pointers
from batch_conformance.http import Exchange

#: What a side's judges look at: recorded exchanges for servers, outcomes for clients.
Material = TypeVar("Material")
#: A missing value, shown as such; None is JSON's null.
MISSING: Any = pointers.MISSING


@dataclass(frozen=True)
class Finding:
    """One piece of evidence against a clause.

    ``exchange`` is the request that proves it; clients that misreport without a request have None. ``prelude`` is
    what must be sent before it, where it takes more than one request to see it. ``code`` says in one word what kind of
    breach it is, ``pointer`` is the JSON pointer of the place in the answer's body.
    """

    message: str
    expected: str
    actual: str
    exchange: Exchange | None = None
    prelude: tuple[Exchange, ...] = ()
    code: str = ""
    pointer: str = ""


@dataclass
class CheckResult:
    """What one judge concluded. No finding and nothing looked at is *not exercised*, never a pass."""

    clause: str
    observations: int = 0
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    limits: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)

    def observe(self, count: int = 1) -> None:
        """Count material that could have broken the clause."""
        self.observations += count

    def fail(
        self,
        exchange: Exchange | None,
        message: str,
        *,
        expected: str,
        actual: object,
        prelude: Sequence[Exchange] = (),
        code: str = "",
        pointer: str = "",
    ) -> None:
        """Record that the clause is broken, with what was promised and what came, and what had to come before."""
        shown = actual if isinstance(actual, str) else repr(actual)
        self.findings.append(Finding(message, expected, shown, exchange, tuple(prelude), code, pointer))

    def note(self, text: str) -> None:
        """Add to the reason of the verdict. What a pass did not see is said with :meth:`limit`."""
        if text and text not in self.reason:
            self.reason = f"{self.reason}; {text}" if self.reason else text

    def limit(self, text: str) -> None:
        """Record what a pass does not cover, in a few plain words; the same words count once."""
        if text and text not in self.limits:
            self.limits.append(text)

    def set_aside(self, clause: str, count: int = 1) -> None:
        """Leave ``count`` observations to the failure of another clause: they are no evidence either way."""
        if count > 0:
            self.explained[clause] = self.explained.get(clause, 0) + count


CheckFunction = Callable[[Material, CheckResult], None]


@dataclass(frozen=True)
class Check(Generic[Material]):
    """A pure function that judges one clause, and the probes or cases whose record it needs."""

    clause: str
    needs: frozenset[str]
    function: CheckFunction[Material]

    def __call__(self, material: Material) -> CheckResult:
        """Check the material. Never sends anything."""
        result = CheckResult(self.clause)
        self.function(material, result)
        return result


class CheckRegistry(Generic[Material]):
    """The judges of one side, one a clause."""

    def __init__(self) -> None:
        self.checks: dict[str, Check[Material]] = {}

    def check(
        self, clause: str, *, needs: Iterable[str] = ()
    ) -> Callable[[CheckFunction[Material]], CheckFunction[Material]]:
        """Register the decorated function as the judge of ``clause``."""

        def register(function: CheckFunction[Material]) -> CheckFunction[Material]:
            if clause in self.checks:
                raise ValueError(f"{clause} has a judge already")
            self.checks[clause] = Check(clause, frozenset(needs), function)
            return function

        return register
