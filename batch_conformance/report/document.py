"""Conversion of a run into the report document. Text from the subject is redacted and made visible here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from batch_conformance import __version__
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import NOT_TRIED, ClauseResult, not_selected
from batch_conformance.contract import (
    Clause,
    SchemaViolation,
    current_contract,
    load_contract,
    schema_violations,
)
from batch_conformance.http import Exchange, Request, curl_lines
from batch_conformance.http.redact import met_in
from batch_conformance.http.sensitive import (
    HIDDEN,
    cookie_hidden,
    hide_userinfo,
    is_cookie_header,
    is_secret_header,
)
from batch_conformance.http.text import (
    LINE_LIMIT,
    Chained,
    cut,
    disarmed_shell,
    redacted,
    shown_text,
    visible,
)
from batch_conformance.report.command import overlay_files, shown_path
from batch_conformance.report.grouping import Group, grouped
from batch_conformance.report.labels import Document
from batch_conformance.report.replaying import evidence_replay

SUITE = "sync-batch-conformance"
#: Limits of a report: texts in characters after decoding, evidence in items for each clause.
BODY_LIMIT = 8192
CURL_LIMIT = 16384
HEADER_LIMIT = 1024
HEADERS_LIMIT = 60
NOTE_LIMIT = 300
#: Bytes of a body that are searched for secrets: more than are shown, as redaction shortens the text.
_SEARCHED_LIMIT = 8 * BODY_LIMIT
EVIDENCE_LIMIT = 10


class ReportBug(Exception):
    """Raised for a report that breaks its own schema: a bug of the suite, not of the subject."""


def report_document(run: RunResult) -> Document:
    """Return the report of a run as plain JSON values, with every clause of the side, in the order of the contract.

    Raises ``ReportBug`` when the run holds a clause twice, or one that this side of the contract lacks.
    """
    return _Reporter(run).document()


def check_document(document: object) -> None:
    """Validate a document against ``schemas/report.schema.json``. Raises ``ReportBug``."""
    wrong = first_violation(document)
    if wrong:
        raise ReportBug(f"internal error: the report breaks its own schema at {wrong}")


def first_violation(document: object) -> str:
    """Return the first violation of the report's schema in one line; empty if there is none."""
    violation = next(iter(schema_violations("report", document)), None)
    return _place(violation) if violation else ""


def _place(violation: SchemaViolation) -> str:
    path = "/".join(str(part) for part in violation.path) or "the top"
    return f"{path}: {cut(visible(violation.message, lines=False), 300)}"


def _unreached(clause: Clause, why: str) -> ClauseResult:
    return ClauseResult(clause, "not-exercised", why) if why else not_selected(clause)


class _Reporter:
    """Converter of one run, which redacts all text."""

    def __init__(self, run: RunResult) -> None:
        self.run = run
        self.redactor = run.redactor
        self._redacting = Chained((self.redactor, met_in(None)))

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
        if run.operations:
            facts["operations"] = list(run.operations)
        if run.budget is not None:
            facts["budget"] = run.budget
        if run.rate_limited:
            facts["rate_limited"] = run.rate_limited
        if run.hints:
            facts["hints"] = [self._line(hint) for hint in run.hints]
        if run.left_behind:
            facts["left_behind"] = self._line(run.left_behind)
        if overlay_files():
            facts["overlays"] = [self._line(file) for file in overlay_files()]
        if run.incomplete:
            facts["incomplete"] = True
        if run.mutant:
            facts["mutant"] = self._line(run.mutant)
        if run.error:
            facts["error"] = self._line(run.error)
        return {
            "report": 1,
            "suite": {"name": SUITE, "version": __version__},
            "contract": {
                "version": contract.version,
                "sha256": contract.sha256,
                "overlays": [
                    {"title": self._line(overlay.title, 200), "sha256": overlay.sha256}
                    for overlay in current_contract().overlays
                ],
            },
            "subject": {
                "side": run.subject.side,
                "name": self._line(run.subject.name, 200),
                "version": self._line(run.subject.version, 100),
                "target": self._line(hide_userinfo(run.subject.target)),
            },
            "run": facts,
            "verdict": run.verdict,
            "clauses": [self._clause(result) for result in self._results()],
        }

    def _results(self) -> list[ClauseResult]:
        clauses = current_contract().of_side(self.run.subject.side)
        found: dict[str, ClauseResult] = {}
        for result in self.run.results:
            if result.clause.id in found:
                raise ReportBug(f"internal error: {result.clause.id} has two results")
            found[result.clause.id] = result
        unknown = found.keys() - {clause.id for clause in clauses}
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise ReportBug(f"internal error: not clauses of the {self.run.subject.side} side: {listed}")
        if self.run.error:
            reason = f"not reached: {self.run.error}"
        else:
            reason = "not reached: the run was interrupted" if self.run.incomplete else ""
        return [found.get(clause.id) or _unreached(clause, reason) for clause in clauses]

    def _clause(self, result: ClauseResult) -> dict[str, Any]:
        reason = self._text(result.reason)
        if result.verdict == "not-exercised" and not reason:
            reason = NOT_TRIED
        groups = grouped(result.findings, self.redactor, self.run.subject.side)
        entry: dict[str, Any] = {
            "id": result.clause.id,
            "level": result.clause.level,
            "title": result.clause.promise,
            "source": result.clause.source,
            "verdict": result.verdict,
            "reason": reason,
            "exchanges": result.exchanges,
            "evidence": [self._evidence(group) for group in groups[:EVIDENCE_LIMIT]],
            "limits": [self._text(limit) for limit in result.limits],
        }
        if len(groups) > EVIDENCE_LIMIT:
            entry["evidence_omitted"] = len(groups) - EVIDENCE_LIMIT
        if result.operations:
            entry["operations"] = dict(result.operations)
        if not result.selected:
            entry["selected"] = False
        if result.subject_verdict is not None:
            entry["subject_verdict"] = result.subject_verdict
        if result.file_at_fault:
            entry["file_at_fault"] = True
        return entry

    def _evidence(self, group: Group) -> dict[str, Any]:
        finding = group.finding
        exchange = finding.exchange
        self._redacting = Chained((self.redactor, met_in(exchange)))
        entry: dict[str, Any] = {
            "code": finding.code,
            "pointer": self._line(finding.pointer),
            "operation": finding.operation,
            "message": self._text(finding.message) or "(no message)",
            "expected": self._text(finding.expected),
            "actual": self._text(finding.actual),
            "request": self._request(exchange.request) if exchange else None,
            "response": self._response(exchange) if exchange else None,
            "curl": self._curl([*finding.prelude, exchange]) if exchange else "",
        }
        if finding.prelude:
            entry["prelude"] = [self._before(step) for step in finding.prelude]
        if exchange:
            entry["outcome"] = self._line(exchange.outcome())
            notes = [exchange.intent.label, *exchange.notes]
            entry["notes"] = [self._line(note, NOTE_LIMIT) for note in notes if note]
        if group.times > 1:
            entry["times"] = group.times
        if group.times > 1 and group.batches:
            entry["batches"] = group.batches
        replay = evidence_replay(finding, self.run)
        if replay:
            entry["replay"] = replay
        self._redacting = Chained((self.redactor, met_in(None)))
        return entry

    def _before(self, exchange: Exchange) -> dict[str, Any]:
        """Return a request that must be sent before that of the evidence to reproduce it."""
        return {
            "request": self._request(exchange.request),
            "response": self._response(exchange),
            "outcome": self._line(exchange.outcome()),
        }

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
            [self._line(name, HEADER_LIMIT), cut(self._header(name, value), HEADER_LIMIT)]
            for name, value in headers[:HEADERS_LIMIT]
        ]
        if len(headers) > HEADERS_LIMIT:
            shown.append(["…", f"and {len(headers) - HEADERS_LIMIT} more headers"])
        return shown

    def _header(self, name: str, value: str) -> str:
        shown = self._safe(value, lines=False)
        # A redacted value stays as it is: its placeholder shows which key was sent.
        if is_secret_header(name) and value and shown == visible(value, lines=False):
            return HIDDEN
        return cookie_hidden(shown) if is_cookie_header(name) else shown

    def _without_cookies(self, step: Exchange) -> Exchange:
        known = [secret for secret in self.run.shell_secrets if secret]
        headers = tuple(
            (name, cookie_hidden(value, known) if is_cookie_header(name) else value)
            for name, value in step.request.headers
        )
        return replace(step, request=replace(step.request, headers=headers))

    def _curl(self, steps: Sequence[Exchange]) -> str:
        try:
            ca = shown_path(self.run.ca) if self.run.ca else ""
            line = curl_lines([self._without_cookies(step) for step in steps], self.run.shell_secrets, ca)
        except UnicodeEncodeError:
            return "# this request contains characters that a command line cannot contain"
        if len(line) > CURL_LIMIT:
            return f"# this request is too long for a command line: {len(line):,} characters"
        return disarmed_shell(self._safe(line, lines=False))

    def _body(self, body: bytes) -> str:
        # Searching for secrets is slow, so the rest of a long body is left out.
        text = self._safe(body[:_SEARCHED_LIMIT].decode("utf-8", "backslashreplace"), lines=True)
        if len(body) <= _SEARCHED_LIMIT:
            return cut(text, BODY_LIMIT)
        return f"{text[:BODY_LIMIT]} […cut: {BODY_LIMIT:,} of {len(body):,} bytes shown]"

    def _text(self, text: str) -> str:
        return shown_text(self._redacting, text)

    def _line(self, text: str, limit: int = LINE_LIMIT) -> str:
        return cut(self._safe(text, lines=False), limit)

    def _safe(self, text: str, *, lines: bool) -> str:
        return redacted(self._redacting, text, lines=lines)
