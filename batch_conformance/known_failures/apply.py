"""Known failures applied to a run: what is excused, and which entries are wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.known_failures.entries import KnownFailure, KnownFailures
from batch_conformance.known_failures.patterns import Seen, describe, patterns_of, seen_of

_UPDATE = "--batch-known-failures-update"


def apply_known_failures(
    run: RunResult, known: KnownFailures, *, today: date, selected: Collection[str] | None = None
) -> RunResult:
    """The run with its known failures excused, and with a failure for each clause whose entries are wrong.

    All findings count, also those that a report has no room for. ``selected`` are the clauses that were asked
    for (all when None). ``today`` is the date in UTC.
    """
    weigher = _Weigher(run, known, today)
    results = []
    for result in run.results:
        entries = known.of(result.clause.id)
        if entries:
            asked = selected is None or result.clause.id in selected
            result = weigher.weigh(result, entries) if asked else _unchecked(result, known, entries)
        results.append(result)
    return replace(run, results=results)


def _unchecked(result: ClauseResult, known: KnownFailures, entries: list[KnownFailure]) -> ClauseResult:
    places = " and ".join(known.place(entry) for entry in entries)
    return replace(result, reason=_joined(result.reason, f"not checked: {places}"))


@dataclass(frozen=True)
class _Wrong:
    """One thing that is wrong with the entries of a clause: the evidence of it, and what to do.

    ``outlived`` when the entry is wrong although nothing that it does not name was found.
    """

    finding: Finding
    advice: str
    outlived: bool = False


@dataclass(frozen=True)
class _Proof:
    """A finding, what a report shows of it, and the entries that name it."""

    finding: Finding
    seen: Seen
    entries: tuple[KnownFailure, ...]


class _Weigher:
    """Holds the entries on a clause against the verdict on it."""

    def __init__(self, run: RunResult, known: KnownFailures, today: date) -> None:
        self.run, self.known, self.today = run, known, today
        #: What an interrupted run did not find may still be there.
        self.settled = not (run.error or run.incomplete)
        self._naming: dict[tuple[str, ...], tuple[Seen, tuple[KnownFailure, ...]]] = {}

    def weigh(self, result: ClauseResult, entries: list[KnownFailure]) -> ClauseResult:
        """The result as it stands with these entries."""
        if result.verdict == "error":
            return result
        # All of them: what a report has room for is cut after this.
        proofs = [self._proof(finding, entries) for finding in result.findings]
        wrong = list(self._wrong(result, entries, proofs))
        if wrong:
            # What nobody named comes first: a report has no room for everything.
            ordered = sorted(proofs, key=lambda proof: bool(proof.entries))
            reason = _joined(result.reason, *(problem.advice for problem in wrong))
            findings = (*(problem.finding for problem in wrong), *(proof.finding for proof in ordered))
            # The subject is not to blame for an entry that outlived its failure.
            at_fault = all(problem.outlived for problem in wrong) and all(proof.entries for proof in proofs)
            return replace(
                result,
                verdict="fail",
                reason=reason,
                findings=findings,
                limits=(),
                subject_verdict=result.verdict,
                file_at_fault=at_fault,
            )
        if proofs:
            reason = self._excuse(result, entries, proofs)
            return replace(result, verdict="known-failure", reason=reason, subject_verdict=result.verdict)
        return _unchecked(result, self.known, entries) if result.verdict == "not-exercised" else result

    def _proof(self, finding: Finding, entries: list[KnownFailure]) -> _Proof:
        # The same is often found many times.
        named = finding.code, finding.pointer, finding.operation
        text = (entries[0].clause, *named, finding.message, finding.actual)
        if text not in self._naming:
            seen = seen_of(finding, self.run.redactor)
            naming = (entry for entry in entries if any(item.matches(seen) for item in entry.evidence))
            self._naming[text] = seen, tuple(naming)
        return _Proof(finding, *self._naming[text])

    def _wrong(self, result: ClauseResult, entries: list[KnownFailure], proofs: list[_Proof]) -> list[_Wrong]:
        if result.verdict == "pass":
            # Another profile may still find it: advice to remove the entry must not hide that.
            why = "the clause passes now" + (" (in a quick run)" if self.run.profile == "quick" else "")
            return [self._stale(entry, why) for entry in entries if self.settled]
        found: list[_Wrong] = []
        other = next((proof for proof in proofs if not proof.entries), None)
        if other:
            found.append(self._changed(entries, other))
        for entry in entries:
            proof = next((proof for proof in proofs if entry in proof.entries), None)
            if proofs and not proof:
                # With other evidence in its place the entry is changed rather than stale, as said above.
                if self.settled and not other:
                    found.append(self._stale(entry, "the clause fails in other ways only"))
            elif entry.draft and proofs:
                found.append(self._draft(entry, proof))
            elif entry.expired(self.today):
                found.append(self._expired(entry, proof))
        return found

    def _finding(self, message: str, expected: str, actual: str, proof: _Proof | None = None) -> Finding:
        """What is said of an entry; it goes by the code and the exchange of what was found, if anything was."""
        if proof is None:
            return Finding(message, expected, actual, code="known-failure")
        return replace(proof.finding, message=message, expected=expected, actual=actual, prelude=())

    def _stale(self, entry: KnownFailure, why: str) -> _Wrong:
        place = self.known.place(entry)
        return _Wrong(
            self._finding(f"stale known failure ({place})", describe(entry.evidence), f"nothing of the kind: {why}"),
            f"{place} is stale: {why}; remove the entry, or run with {_UPDATE}",
            outlived=True,
        )

    def _changed(self, entries: list[KnownFailure], proof: _Proof) -> _Wrong:
        numbers = " and ".join(str(entry.number) for entry in entries)
        place = f"{self.known.file}, entry {numbers}"
        expected = describe(item for entry in entries for item in entry.evidence)
        return _Wrong(
            self._finding(f"not the known failure ({place})", expected, _told(proof), proof),
            f"the failure is not the known one ({place}): look at it anew; to accept it, run with {_UPDATE}",
        )

    def _draft(self, entry: KnownFailure, proof: _Proof | None) -> _Wrong:
        place = self.known.place(entry)
        given = f"reason: {entry.reason}\nissue: {entry.issue}"
        return _Wrong(
            self._finding(f"known failure without a reason or an issue ({place})", "both", given, proof),
            f"{place} is a draft, which excuses nothing: give it a reason and the link of an issue",
        )

    def _expired(self, entry: KnownFailure, proof: _Proof | None) -> _Wrong:
        place = self.known.place(entry)
        expected = f"fixed by {entry.expires}: {entry.reason}; see {entry.issue}"
        actual = f"still there: {proof.seen}" if proof else "not exercised in this run"
        return _Wrong(
            self._finding(f"expired known failure ({place})", expected, actual, proof),
            f"{place} expired on {entry.expires}: fix the failure, or agree on a later date ({entry.issue})",
            outlived=proof is None,
        )

    def _excuse(self, result: ClauseResult, entries: list[KnownFailure], proofs: list[_Proof]) -> str:
        excuses = [f"{entry.reason}; see {entry.issue}, until {entry.expires}" for entry in entries]
        # By number: the text may stem from the target, and reports make links of what the adopter writes here.
        unseen = [
            f"evidence {index} of entry {entry.number}"
            for entry in entries
            for index, item in enumerate(entry.evidence, 1)
            if not any(item.matches(proof.seen) for proof in proofs)
        ]
        note = f"not seen in this run: {', '.join(unseen)}" if unseen else ""
        return _joined(*excuses, note, result.reason)


def _told(proof: _Proof) -> str:
    """What was found, and the names by which an entry would know it."""
    names = describe(patterns_of([proof.seen])) if proof.seen.code else ""
    return f"{proof.seen} [{names}]" if names else str(proof.seen)


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)
