"""Checks of ``server.header.*``: documented headers that are required or have a schema.

The clauses are derived from the contract; none is written by hand.
"""

from __future__ import annotations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.words import shown
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.clause_list import HEADER, header_clause, is_promised
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.contract.written_values import schema_of, value_of

_NEEDS = ["reads", "unauthenticated", "invalid-keys", "unknown-ids", "staged"]


@SERVER_CHECKS.family(HEADER, needs=_NEEDS)
def header(record: Record, result: CheckResult) -> None:
    """Check that a header is present if required, and that its value is as documented."""
    for exchange in record.exchanges:
        response = exchange.response
        if response is None or exchange.intent.probe == "discovery":
            continue
        answer = record.documented.answer(response.status)
        rows = answer.headers.items() if answer else ()
        name, found = next((row for row in rows if header_clause(row[0]) == result.clause), ("", None))
        if found is None or not is_promised(name, found):
            continue
        values = response.header_values(name)
        if not values and not found.get("required"):
            continue
        result.observe()
        wrong = _wrong(record.operation, str(answer.key if answer else ""), name, tuple(values))
        if wrong:
            result.fail(
                exchange,
                f"the header {name} of a {response.status}: expected {wrong}",
                expected=wrong,
                actual=" and ".join(map(shown, values)) if values else "absent",
                code="header",
            )
    if not result.observations:
        result.note("no answer that is to have it was seen")


@cached_by_contract
def _wrong(operation: str, key: str, name: str, values: tuple[str, ...]) -> str:
    """Return what was expected of a header's value; "" if the value is as documented."""
    answer = current_contract().operation(operation).answers[key]
    row = next(row for header, row in answer.headers.items() if header == name)
    if not values:
        return "a value"
    document = current_contract().document.content
    violations = SchemaJudge(schema_of(row), document).violations(value_of(", ".join(values), row, document))
    return "; ".join(dict.fromkeys(one.expected for one in violations))
