"""Checks of ``client.reject.*``: a response without a batch, or with another status, becomes an error."""

from __future__ import annotations

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import CLIENT_CHECKS, ClientRunRecord, HttpError, InvalidSuccess
from batch_conformance.checks.finding import CheckResult

_NEEDS = ["client.decode.fields"]
_NOT_JSON = "client.reject.not-json"
_STATUS_LINE = "client.error.status-line-wins"
#: Kinds that stand for an HTTP status, which the server did not send here.
FALSE_KINDS = accepted_kinds(_STATUS_LINE, "never")


@CLIENT_CHECKS.check(_NOT_JSON, needs=_NEEDS)
def not_json(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a body that is not JSON becomes no batch."""
    _never_a_batch(record, result)


@CLIENT_CHECKS.check("client.reject.lenient-json", needs=[*_NEEDS, _NOT_JSON])
def lenient_json(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that JSON for lenient parsers only becomes no batch; a should, since RFC 8259, 9 allows it."""
    if record.is_broken(_NOT_JSON):
        result.set_aside(_NOT_JSON, sum(result.clause in case_result.clauses for case_result in record.plays))
        return
    _never_a_batch(record, result)


@CLIENT_CHECKS.check("client.reject.not-object", needs=_NEEDS)
def not_object(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that JSON other than an object becomes no batch."""
    _never_a_batch(record, result)


@CLIENT_CHECKS.check("client.reject.wrong-types", needs=_NEEDS)
def wrong_types(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a batch with a required member missing, null or of the wrong type is refused."""
    _never_a_batch(record, result)


@CLIENT_CHECKS.check("client.reject.other-status", needs=[*_NEEDS, _STATUS_LINE])
def other_status(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a response with a status other than 200 becomes no batch, even with one in its body."""
    # A client that also takes a batch out of a 404 does not look at the status at all.
    out_of_errors = any(
        call_result.reply.batch is not None
        for case_result in record.plays
        if case_result.clauses[0] == _STATUS_LINE
        for call_result in case_result.turns
        if isinstance(call_result.expected, HttpError)
    )
    _never_a_batch(record, result, _STATUS_LINE if out_of_errors else "")


def _never_a_batch(record: ClientRunRecord, result: CheckResult, cause: str = "") -> None:
    """Report calls that return a batch. ``cause`` is the clause that explains these, if there is one."""
    kinds = accepted_kinds(result.clause)
    for _, call_result in record.turns(result):
        if not isinstance(call_result.expected, InvalidSuccess):
            continue
        if not record.decodes:
            # If nothing is decoded at all, a refusal shows nothing.
            result.set_aside("client.decode.fields")
            continue
        error = call_result.reply.error
        if error is None and cause:
            result.set_aside(cause)
            continue
        result.observe()
        if error is None:
            problem, code = "taken for a batch", "taken"
        elif error.kind not in kinds and not call_result.got(error.status):
            # The kinds that remain stand for an HTTP status.
            problem, code = "reported as an HTTP status that never came", "kind"
        else:
            continue
        result.fail(
            call_result.last,
            f"{problem}: {call_result.expected.what}",
            expected=shown_kinds(kinds),
            actual=call_result.said(),
            code=code,
            pointer=call_result.expected.pointer,
        )
