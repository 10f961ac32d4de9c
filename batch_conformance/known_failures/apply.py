"""Application of known failures to a run: excuses accepted failures, and fails clauses with wrong entries."""

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
    """Return the run with known failures excused, and each clause failed whose entries are wrong.

    All findings count, including those that the report omits. ``selected`` are the selected clauses (None: all);
    ``today`` is the date in UTC.
    """
    applier = _Applier(run, known, today)
    results = []
    for result in run.results:
        entries = known.of(result.clause.id)
        if entries:
            checked = selected is None or result.clause.id in selected
            result = applier.apply(result, entries) if checked else _unchecked(result, known, entries)
        results.append(result)
    return replace(run, results=results)


def _unchecked(result: ClauseResult, known: KnownFailures, entries: list[KnownFailure]) -> ClauseResult:
    places = " and ".join(known.place(entry) for entry in entries)
    return replace(result, reason=_joined(result.reason, f"not checked: {places}"))


@dataclass(frozen=True)
class _Wrong:
    """One problem of the entries for a clause: a finding about it, and advice.

    ``outlived`` is set if the subject did not cause the problem: the failure that the entry names was not found.
    """

    finding: Finding
    advice: str
    outlived: bool = False


@dataclass(frozen=True)
class _Proof:
    """A finding, its text as the report shows it, and the entries that name it."""

    finding: Finding
    seen: Seen
    entries: tuple[KnownFailure, ...]


class _Applier:
    """Applies the entries for a clause to its result."""

    def __init__(self, run: RunResult, known: KnownFailures, today: date) -> None:
        self.run, self.known, self.today = run, known, today
        #: Whether the run is complete. Otherwise a failure that was not found is not proof that it was fixed.
        self.complete = not (run.error or run.incomplete)
        self._naming: dict[tuple[str, ...], tuple[Seen, tuple[KnownFailure, ...]]] = {}

    def apply(self, result: ClauseResult, entries: list[KnownFailure]) -> ClauseResult:
        """Return the result with these entries applied."""
        if result.verdict == "error":
            return result
        # All findings: the report is limited later.
        proofs = [self._proof(finding, entries) for finding in result.findings]
        wrong = list(self._wrong(result, entries, proofs))
        if wrong:
            # Findings without an entry first, since the report is limited.
            ordered = sorted(proofs, key=lambda proof: bool(proof.entries))
            reason = _joined(result.reason, *(problem.advice for problem in wrong))
            findings = (*(problem.finding for problem in wrong), *(proof.finding for proof in ordered))
            # Stale entries alone are a fault of the file, not of the subject.
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
        # Cached by text, since equal findings are frequent.
        named = finding.code, finding.pointer, finding.operation
        text = (entries[0].clause, *named, finding.message, finding.actual)
        if text not in self._naming:
            seen = seen_of(finding, self.run.redactor)
            naming = (entry for entry in entries if any(item.matches(seen) for item in entry.evidence))
            self._naming[text] = seen, tuple(naming)
        return _Proof(finding, *self._naming[text])

    def _wrong(self, result: ClauseResult, entries: list[KnownFailure], proofs: list[_Proof]) -> list[_Wrong]:
        if result.verdict == "pass":
            # Another profile may still find the failure, so the profile is mentioned.
            why = "the clause passes now" + (" (in a quick run)" if self.run.profile == "quick" else "")
            return [self._stale(entry, why) for entry in entries if self.complete]
        found: list[_Wrong] = []
        other = next((proof for proof in proofs if not proof.entries), None)
        if other:
            found.append(self._changed(entries, other))
        for entry in entries:
            proof = next((proof for proof in proofs if entry in proof.entries), None)
            if proofs and not proof:
                # Where other evidence was found, the entry was reported as changed above.
                if self.complete and not other:
                    found.append(self._stale(entry, "the clause fails in other ways only"))
            elif entry.draft and proofs:
                found.append(self._draft(entry, proof))
            elif entry.expired(self.today):
                found.append(self._expired(entry, proof))
        return found

    def _finding(self, message: str, expected: str, actual: str, proof: _Proof | None = None) -> Finding:
        """Return a finding about an entry, with the code and exchange of the proof if there is one."""
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
            self._finding(f"not the known failure ({place})", expected, _described(proof), proof),
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
        # By number: evidence may contain text from the target, and URLs in this reason become links in reports.
        unseen = [
            f"evidence {index} of entry {entry.number}"
            for entry in entries
            for index, item in enumerate(entry.evidence, 1)
            if not any(item.matches(proof.seen) for proof in proofs)
        ]
        note = f"not seen in this run: {', '.join(unseen)}" if unseen else ""
        return _joined(*excuses, note, result.reason)


def _described(proof: _Proof) -> str:
    """Return the finding of a proof, followed by the code, pointer and operation to write in an entry."""
    names = describe(patterns_of([proof.seen])) if proof.seen.code else ""
    return f"{proof.seen} [{names}]" if names else str(proof.seen)


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)
