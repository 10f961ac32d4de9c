"""Runs server checks on recordings; each check gets those with the facts it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batch_conformance.checks.by_operation import merged
from batch_conformance.checks.finding import CheckResult, Finding
from batch_conformance.checks.server import SERVER_CHECKS, Record
from batch_conformance.contract import current_contract
from batch_conformance.contract.parts import part_of
from batch_conformance.http import Exchange
from batch_conformance.http.key_values import key_values
from batch_conformance.recorded.clauses import WORDS, is_about, recorded_needs
from batch_conformance.recorded.recording import Recording
from batch_conformance.recorded.redaction import redactor_of, safe


def judge_clause(clause: str, recordings: Sequence[Recording]) -> CheckResult:
    """Check a clause of :func:`recorded_needs` on the recordings with enough facts."""
    needs = recorded_needs()[clause]
    usable = [row for row in recordings if needs <= row.facts]
    operations = current_contract().clauses[clause].operations
    if clause.startswith("server.poll."):
        # Entries of lists do not carry the recording and origin that _as_checked() puts into the id.
        operations = operations[:1]
    rows = {name: [row for row in usable if row.exchange.intent.operation == name] for name in operations}
    parts = {name: _check_operation(clause, name, found) for name, found in rows.items() if found}
    result = merged(clause, parts) if parts else _check_operation(clause, operations[0], [])
    places = {row.exchange.number: row for row in usable}
    result.findings = [_placed(finding, places, clause) for finding in result.findings]
    of_these = [row for row in recordings if row.exchange.intent.operation in operations]
    about = [row for row in of_these if is_about(clause, row.exchange.status or 0)]
    lacking = [row for row in about if not needs <= row.facts]
    if lacking:
        if len(lacking) == len(about):
            result.reason = ""
        missing = [WORDS[fact] for fact in WORDS if any(fact in needs - row.facts for row in lacking)]
        result.note(f"{len(lacking)} of {len(about)} recordings do not tell {' or '.join(missing)}")
    return result


def _check_operation(clause: str, operation: str, recordings: Sequence[Recording]) -> CheckResult:
    exchanges = [_as_checked(row, clause) for row in recordings]
    record = Record(exchanges, _keys(exchanges, operation), operation)
    own = part_of(operation, "entries")
    result = SERVER_CHECKS.find(clause)(own.view(record, clause) if own else record)
    if own:
        result.findings = [own.placed(finding) for finding in result.findings]
    return result


def _as_checked(row: Recording, clause: str) -> Exchange:
    exchange, response = row.exchange, row.exchange.response
    if clause.startswith("server.poll."):
        # Reads are only ordered within one recording and for one origin.
        origin = "/".join(exchange.request.url.split("/")[:3])
        within = "\0".join((row.order or "", origin, exchange.intent.id))
        return replace(exchange, intent=replace(exchange.intent, id=within))
    if clause == "server.rate.429" and response and "headers" not in row.facts:
        # No headers were recorded: a dummy Retry-After, so that the body can still be checked.
        return replace(exchange, response=replace(response, headers=(("retry-after", "1"),)))
    return exchange


def _keys(exchanges: Sequence[Exchange], operation: str) -> list[str]:
    """Return the keys of requests that were answered with a 200."""
    place = current_contract().operation(operation).key
    return [key for row in exchanges if row.status == 200 for key in key_values(row.request, place)]


def _placed(finding: Finding, places: dict[int, Recording], clause: str) -> Finding:
    row = places.get(finding.exchange.number) if finding.exchange else None
    if row is None:
        return finding
    expected = finding.expected
    if clause == "server.body.id" and not row.knows_id:
        expected = "a string, the id that was asked for"
    redact = redactor_of(row.exchange).text
    return replace(
        finding,
        message=f"{row.place}: {redact(finding.message)}",
        expected=redact(expected),
        actual=redact(finding.actual),
        exchange=safe(row.exchange) if row.shows else None,
    )
