"""What a judge says of a clause: how much it looked at, and what it found broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from batch_conformance.checks.codes import check_code
from batch_conformance.contract import pointers
from batch_conformance.http import Exchange

#: What a side's judges look at: recorded exchanges for servers, outcomes for clients.
Material = TypeVar("Material")
#: A missing value, shown as such; None is JSON's null.
MISSING: Any = pointers.MISSING


@dataclass(frozen=True)
class Finding:
    """One piece of evidence against a clause.

    ``code`` is one of :mod:`batch_conformance.checks.codes`, ``pointer`` the JSON pointer of the place in the body that
    is wrong (empty where the finding is about none), ``operation`` the name of the operation. Nothing but people
    reads ``message``, ``expected`` and ``actual``.
    ``exchange`` is the request that proves it; clients that misreport without a request have None. ``prelude`` is
    what must be sent before it, where it takes more than one request to see it.
    """

    message: str
    expected: str
    actual: str
    exchange: Exchange | None = None
    prelude: tuple[Exchange, ...] = ()
    code: str = ""
    pointer: str = ""
    operation: str = ""


@dataclass
class CheckResult:
    """What one judge concluded. No finding and nothing looked at is *not exercised*, never a pass."""

    clause: str
    observations: int = 0
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    limits: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)
    #: What could not be judged, and why, with how many answers it is about.
    unjudged: dict[str, int] = field(default_factory=dict)
    earlier: Mapping[str, CheckResult] = field(default_factory=dict, repr=False)

    def failed(self, clause: str) -> bool:
        """Whether a clause that this one is ``explained_by`` is broken. Raises ``KeyError`` for one not declared."""
        return bool(self.earlier[clause].findings)
    #: The results on the operations of the run, of which this one is the sum; empty where it is one of them.
    parts: dict[str, CheckResult] = field(default_factory=dict, repr=False)

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
        code: str,
        prelude: Sequence[Exchange] = (),
        pointer: str = "",
    ) -> None:
        """Record that the clause is broken, with what was promised and what came, and what had to come before.

        ``code`` must be a known one: ``ValueError`` otherwise.
        """
        check_code(code)
        shown = actual if isinstance(actual, str) else repr(actual)
        operation = getattr(exchange.intent, "operation", "get") if exchange is not None else ""
        self.findings.append(
            Finding(message, expected, shown, exchange, tuple(prelude), code, pointer, operation)
        )

    def note(self, text: str) -> None:
        """Add to the reason of the verdict. What a pass did not see is said with :meth:`limit`."""
        if text and text not in self.reason:
            self.reason = f"{self.reason}; {text}" if self.reason else text

    def limit(self, text: str) -> None:
        """Record what a pass does not cover, in a few plain words; the same words count once."""
        if text and text not in self.limits:
            self.limits.append(text)

    def leave_unjudged(self, why: str, count: int = 1) -> None:
        """Record that ``count`` answers could not be judged: where none breaks the clause, its verdict is an error."""
        if count > 0:
            self.unjudged[why] = self.unjudged.get(why, 0) + count

    def set_aside(self, clause: str, count: int = 1) -> None:
        """Leave ``count`` observations to the failure of another clause: they are no evidence either way."""
        if count > 0:
            self.explained[clause] = self.explained.get(clause, 0) + count


CheckFunction = Callable[[Material, CheckResult], None]


@dataclass(frozen=True)
class Check(Generic[Material]):
    """A pure function that judges one clause, and the probes or cases whose record it needs.

    ``explained_by`` are clauses whose failure explains observations of this one: they are judged before it.
    """

    clause: str
    needs: frozenset[str]
    function: CheckFunction[Material]
    explained_by: tuple[str, ...] = ()

    def __call__(self, material: Material, earlier: Mapping[str, CheckResult] | None = None) -> CheckResult:
        """Check the material. Never sends anything."""
        known = earlier or {}
        result = CheckResult(
            self.clause, earlier={name: known[name] for name in self.explained_by if name in known}
        )
        self.function(material, result)
        return result


class CheckRegistry(Generic[Material]):
    """The judges of one side: one a clause, and some for every clause under a prefix that has none of its own."""

    def __init__(self) -> None:
        self.checks: dict[str, Check[Material]] = {}
        self._families: dict[str, Check[Material]] = {}

    def check(
        self, clause: str, *, needs: Iterable[str] = (), explained_by: Iterable[str] = ()
    ) -> Callable[[CheckFunction[Material]], CheckFunction[Material]]:
        """Register the decorated function as the judge of ``clause``."""

        def register(function: CheckFunction[Material]) -> CheckFunction[Material]:
            if clause in self.checks:
                raise ValueError(f"{clause} has a judge already")
            self.checks[clause] = Check(clause, frozenset(needs), function, tuple(explained_by))
            return function

        return register

    def family(
        self, prefix: str, *, needs: Iterable[str] = ()
    ) -> Callable[[CheckFunction[Material]], CheckFunction[Material]]:
        """Register the decorated function for the clauses under a prefix that have no judge of their own."""

        def register(function: CheckFunction[Material]) -> CheckFunction[Material]:
            self._families[prefix] = Check(prefix, frozenset(needs), function)
            return function

        return register

    def find(self, clause: str) -> Check[Material]:
        """The judge of a clause. Raises ``KeyError`` for one that nobody judges."""
        if clause in self.checks:
            return self.checks[clause]
        for prefix, check in self._families.items():
            if clause.startswith(prefix):
                return replace(check, clause=clause)
        raise KeyError(clause)

    def needs(self, clauses: Iterable[str]) -> frozenset[str]:
        """All probes or cases whose record these clauses need."""
        return frozenset[str]().union(*(self.find(clause).needs for clause in clauses))

    def judge(
        self,
        material: Material,
        clauses: Iterable[str],
        view: Callable[[Material, str], Material] | None = None,
    ) -> dict[str, CheckResult]:
        """Judge each clause once, those that explain others before them; in the order given.

        ``view`` makes of the material what the check of one clause looks at.
        """
        chosen = list(clauses)
        done: dict[str, CheckResult] = {}

        def visit(clause: str, above: tuple[str, ...]) -> None:
            if clause in above:
                raise ValueError(f"{' is explained by '.join((*above, clause))}: a circle")
            if clause not in done:
                check = self.find(clause)
                for other in check.explained_by:
                    visit(other, (*above, clause))
                done[clause] = check(view(material, clause) if view else material, done)

        for clause in chosen:
            visit(clause, ())
        return {clause: done[clause] for clause in chosen}
