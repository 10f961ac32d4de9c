"""Checks, their registry, and the result of one check: observations, findings and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from batch_conformance.checks.codes import check_code
from batch_conformance.contract import pointers
from batch_conformance.http import Exchange

#: What the checks of one side read: recorded exchanges (server) or recorded calls (client).
Material = TypeVar("Material")
#: A missing value, as opposed to None, which is JSON's null.
MISSING: Any = pointers.MISSING


@dataclass(frozen=True)
class Finding:
    """One piece of evidence against a clause.

    ``code`` is one of :mod:`batch_conformance.checks.codes`. ``pointer`` is the JSON pointer of the wrong
    place in the body, empty if the finding concerns no place. ``operation`` is the name of the operation.
    ``message``, ``expected`` and ``actual`` are for people; no code reads them. ``exchange`` is the request
    that proves the finding (None for a client that misreports without a request); ``prelude`` holds the
    requests that must come before it.
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
    """Result of one check.

    Without a finding or an observation the clause is *not exercised*, never a pass.
    """

    clause: str
    observations: int = 0
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    limits: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)
    #: Number of responses that could not be judged, by reason.
    unjudged: dict[str, int] = field(default_factory=dict)
    #: Results of the clauses that explain this one.
    earlier: Mapping[str, CheckResult] = field(default_factory=dict, repr=False)
    #: Results on each operation of the run, where this result merges them; else empty.
    parts: dict[str, CheckResult] = field(default_factory=dict, repr=False)

    def failed(self, clause: str) -> bool:
        """Whether a clause of ``explained_by`` is broken.

        Raises ``KeyError`` for one that is not declared.
        """
        return bool(self.earlier[clause].findings)

    def observe(self, count: int = 1) -> None:
        """Count observations that could have shown the clause broken."""
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
        """Record a finding, with the expected and actual value, and the requests before it.

        Raises ``ValueError`` for an unknown ``code``.
        """
        check_code(code)
        formatted = actual if isinstance(actual, str) else repr(actual)
        operation = getattr(exchange.intent, "operation", "get") if exchange is not None else ""
        self.findings.append(Finding(message, expected, formatted, exchange, tuple(prelude), code, pointer, operation))

    def note(self, text: str) -> None:
        """Add to the reason of the verdict. The gaps of a pass are recorded with :meth:`limit` instead."""
        if text and text not in self.reason:
            self.reason = f"{self.reason}; {text}" if self.reason else text

    def limit(self, text: str) -> None:
        """Record something that a pass did not cover, in a few words. Duplicates are dropped."""
        if text and text not in self.limits:
            self.limits.append(text)

    def leave_unjudged(self, why: str, count: int = 1) -> None:
        """Record that ``count`` responses could not be judged.

        Without a finding, the verdict is then ``error``.
        """
        if count > 0:
            self.unjudged[why] = self.unjudged.get(why, 0) + count

    def set_aside(self, clause: str, count: int = 1) -> None:
        """Ignore ``count`` observations that the failure of another clause explains."""
        if count > 0:
            self.explained[clause] = self.explained.get(clause, 0) + count


CheckFunction = Callable[[Material, CheckResult], None]


@dataclass(frozen=True)
class Check(Generic[Material]):
    """A pure function that judges one clause.

    ``needs`` names what must be recorded for it: probes for a server's check, clauses (for their cases) for a
    client's. ``explained_by`` names clauses whose failure explains observations of this one; they are judged
    first.
    """

    clause: str
    needs: frozenset[str]
    function: CheckFunction[Material]
    explained_by: tuple[str, ...] = ()

    def __call__(self, material: Material, earlier: Mapping[str, CheckResult] | None = None) -> CheckResult:
        """Judge the recorded material. Sends nothing."""
        known = earlier or {}
        result = CheckResult(self.clause, earlier={name: known[name] for name in self.explained_by if name in known})
        self.function(material, result)
        return result


class CheckRegistry(Generic[Material]):
    """The checks of one side: one per clause, or one for all clauses under a prefix."""

    def __init__(self) -> None:
        self.checks: dict[str, Check[Material]] = {}
        self._families: dict[str, Check[Material]] = {}

    def check(
        self, clause: str, *, needs: Iterable[str] = (), explained_by: Iterable[str] = ()
    ) -> Callable[[CheckFunction[Material]], CheckFunction[Material]]:
        """Register the decorated function as the check of ``clause``. Raises ``ValueError`` if it has one."""

        def register(function: CheckFunction[Material]) -> CheckFunction[Material]:
            if clause in self.checks:
                raise ValueError(f"{clause} has a check already")
            self.checks[clause] = Check(clause, frozenset(needs), function, tuple(explained_by))
            return function

        return register

    def family(
        self, prefix: str, *, needs: Iterable[str] = (), explained_by: Iterable[str] = ()
    ) -> Callable[[CheckFunction[Material]], CheckFunction[Material]]:
        """Register the decorated function for the clauses under a prefix that have no check of their own."""

        def register(function: CheckFunction[Material]) -> CheckFunction[Material]:
            self._families[prefix] = Check(prefix, frozenset(needs), function, tuple(explained_by))
            return function

        return register

    def find(self, clause: str) -> Check[Material]:
        """Return the check of a clause. Raises ``KeyError`` if it has none."""
        if clause in self.checks:
            return self.checks[clause]
        for prefix, check in self._families.items():
            if clause.startswith(prefix):
                return replace(check, clause=clause)
        raise KeyError(clause)

    def needs(self, clauses: Iterable[str]) -> frozenset[str]:
        """Return the probes or cases that the checks of these clauses need."""
        return frozenset[str]().union(*(self.find(clause).needs for clause in clauses))

    def judge(
        self,
        material: Material,
        clauses: Iterable[str],
        view: Callable[[Material, str], Material] | None = None,
    ) -> dict[str, CheckResult]:
        """Judge each clause once, explaining clauses first. Returns the results in the order given.

        ``view`` maps the material to the part that the check of one clause reads.
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
