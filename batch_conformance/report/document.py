"""The one conversion of a run into ``conformance.json``: here foreign text is redacted and made visible."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from batch_conformance import __version__
from batch_conformance.contract import SchemaViolation, load_contract, schema_violations
from batch_conformance.exchange import Exchange, Redactor, Request, curl_line
from batch_conformance.judge.finding import Finding
from batch_conformance.judge.result import RunResult
from batch_conformance.judge.verdict import ClauseResult
from batch_conformance.report.replaying import evidence_replay
from batch_conformance.report.text import cut, disarmed_shell, visible
from batch_conformance.report.words import Document

SUITE = "sync-batch-conformance"
#: Limits of what a report shows, in characters after decoding; evidence in items a clause.
BODY_LIMIT = 8192
CURL_LIMIT = 16384
LINE_LIMIT = 2048
HEADER_LIMIT = 1024
HEADERS_LIMIT = 60
NOTE_LIMIT = 300
#: Bytes of a body in which secrets are looked for: names are shorter than what they stand for.
_LOOKED_AT = 8 * BODY_LIMIT
EVIDENCE_LIMIT = 10

_USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")


class ReportBug(Exception):
    """The suite made a report that breaks its own rules: a bug of the suite, not of who was judged."""


def report_document(run: RunResult) -> Document:
    """The report of a run as plain JSON values, every clause of the side once, in the contract's order.

    Raises ``ReportBug`` when the run holds a clause twice, or one that this side of the contract lacks.
    """
    return _Reporter(run).document()


def check_document(document: object) -> None:
    """Hold a document of ours against ``schemas/report.schema.json``. Raises ``ReportBug``."""
    wrong = first_violation(document)
    if wrong:
        raise ReportBug(f"internal error: the report breaks its own schema at {wrong}")


def first_violation(document: object) -> str:
    """Where and how a value breaks the report's schema, in one line; empty when it conforms."""
    violation = next(iter(schema_violations("report", document)), None)
    return _place(violation) if violation else ""


def _place(violation: SchemaViolation) -> str:
    path = "/".join(str(part) for part in violation.path) or "the top"
    return f"{path}: {cut(visible(violation.message, lines=False), 300)}"


def shown_text(redactor: Redactor, text: str) -> str:
    """A text of several lines as every report shows it: redacted, made visible, cut."""
    return cut(_safe(redactor, text, lines=True).strip(), LINE_LIMIT)


def _safe(redactor: Redactor, text: str, *, lines: bool) -> str:
    # Before, so that a secret is whole; after, since writing out may spell one that was broken up.
    return redactor.text(visible(redactor.text(text), lines=lines))


class _Reporter:
    """Converts one run, with its redactor at hand."""

    def __init__(self, run: RunResult) -> None:
        self.run = run
        self.redactor: Redactor = run.redactor

    def document(self) -> Document:
        run, contract = self.run, load_contract()
        facts: dict[str, Any] = {
            "started": run.started,
            "seconds": round(max(run.seconds, 0.0), 3),
            "requests": run.requests,
            "profile": self._line(run.profile),
            "seed": run.seed,
            "strict": run.strict,
        }
        if run.budget is not None:
            facts["budget"] = run.budget
        if run.rate_limited:
            facts["rate_limited"] = run.rate_limited
        if run.incomplete:
            facts["incomplete"] = True
        if run.mutant:
            facts["mutant"] = self._line(run.mutant)
        if run.hints:
            facts["hints"] = [self._line(hint) for hint in run.hints]
        if run.error:
            facts["error"] = self._line(run.error)
        return {
            "report": 1,
            "suite": {"name": SUITE, "version": __version__},
            "contract": {"version": contract.version, "sha256": contract.sha256},
            "subject": {
                "side": run.subject.side,
                "name": self._line(run.subject.name, 200),
                "version": self._line(run.subject.version, 100),
                "target": self._line(_USERINFO.sub("[userinfo]@", run.subject.target)),
            },
            "run": facts,
            "verdict": run.verdict,
            "clauses": [self._clause(result) for result in self._results()],
        }

    def _results(self) -> list[ClauseResult]:
        clauses = load_contract().of_side(self.run.subject.side)
        found: dict[str, ClauseResult] = {}
        for result in self.run.results:
            if result.clause.id in found:
                raise ReportBug(f"internal error: {result.clause.id} has two results")
            found[result.clause.id] = result
        strangers = found.keys() - {clause.id for clause in clauses}
        if strangers:
            listed = ", ".join(sorted(strangers))
            raise ReportBug(f"internal error: not clauses of the {self.run.subject.side} side: {listed}")
        silence = "not selected in this run"
        if self.run.error:
            silence = f"not reached: {self.run.error}"
        elif self.run.incomplete:
            silence = "not reached: the run was interrupted"
        return [found.get(clause.id) or ClauseResult(clause, "not-exercised", silence) for clause in clauses]

    def _clause(self, result: ClauseResult) -> dict[str, Any]:
        reason = self._text(result.reason)
        if result.verdict == "not-exercised" and not reason:
            reason = "nothing in this run put it to the test"
        entry: dict[str, Any] = {
            "id": result.clause.id,
            "level": result.clause.level,
            "title": result.clause.promise,
            "source": result.clause.source,
            "verdict": result.verdict,
            "reason": reason,
            "exchanges": result.exchanges,
            "evidence": [self._evidence(finding) for finding in result.findings[:EVIDENCE_LIMIT]],
        }
        if len(result.findings) > EVIDENCE_LIMIT:
            entry["evidence_omitted"] = len(result.findings) - EVIDENCE_LIMIT
        return entry

    def _evidence(self, finding: Finding) -> dict[str, Any]:
        exchange = finding.exchange
        entry: dict[str, Any] = {
            "message": self._text(finding.message) or "(no message)",
            "expected": self._text(finding.expected),
            "actual": self._text(finding.actual),
            "request": self._request(exchange.request) if exchange else None,
            "response": self._response(exchange) if exchange else None,
            "curl": self._curl(exchange.request) if exchange else "",
        }
        if exchange:
            entry["outcome"] = self._line(exchange.outcome())
            notes = [exchange.intent.label, *exchange.notes]
            entry["notes"] = [self._line(note, NOTE_LIMIT) for note in notes if note]
        replay = evidence_replay(finding, self.run)
        if replay:
            entry["replay"] = replay
        return entry

    def _request(self, request: Request) -> dict[str, Any]:
        return {
            "method": self._line(request.method, 100),
            "url": self._line(request.url),
            "headers": self._headers(request.headers),
            "body": self._body(request.body),
        }

    def _response(self, exchange: Exchange) -> dict[str, Any] | None:
        response = exchange.response
        if response is None:
            return None
        entry = {
            "status": response.status,
            "reason": self._line(response.reason, 200),
            "headers": self._headers(response.headers),
            "body": self._body(response.body),
        }
        if exchange.failure:
            entry["failure"] = self._line(exchange.failure.message)
        return entry

    def _headers(self, headers: Sequence[tuple[str, str]]) -> list[list[str]]:
        shown = [
            [self._line(name, HEADER_LIMIT), self._line(value, HEADER_LIMIT)]
            for name, value in headers[:HEADERS_LIMIT]
        ]
        if len(headers) > HEADERS_LIMIT:
            shown.append(["…", f"and {len(headers) - HEADERS_LIMIT} more headers"])
        return shown

    def _curl(self, request: Request) -> str:
        try:
            line = self._safe(curl_line(request, self.run.shell_secrets), lines=False)
        except UnicodeEncodeError:
            return "# this request holds characters that no command line can carry"
        if len(line) > CURL_LIMIT:
            return f"# this request is too long for a line to copy: {len(line):,} characters"
        return disarmed_shell(line)

    def _body(self, body: bytes) -> str:
        # Looking for secrets takes a while: of a long body, just the part that may be shown.
        text = self._safe(body[:_LOOKED_AT].decode("utf-8", "backslashreplace"), lines=True)
        if len(body) <= _LOOKED_AT:
            return cut(text, BODY_LIMIT)
        return f"{text[:BODY_LIMIT]} […cut: {BODY_LIMIT:,} of {len(body):,} bytes shown]"

    def _text(self, text: str) -> str:
        return shown_text(self.redactor, text)

    def _line(self, text: str, limit: int = LINE_LIMIT) -> str:
        return cut(self._safe(text, lines=False), limit)

    def _safe(self, text: str, *, lines: bool) -> str:
        return _safe(self.redactor, text, lines=lines)
