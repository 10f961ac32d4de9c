"""Checks of ``client.fault.*``: on any transport fault, the caller gets an error in time."""

from __future__ import annotations

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import CLIENT_CHECKS, ClientRunRecord, TransportFault
from batch_conformance.checks.finding import CheckResult

_REDIRECTS = "client.reject.other-status"
_CUT_OFF_JSON = "client.reject.not-json"


def _check_error_in_time(record: ClientRunRecord, result: CheckResult) -> None:
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, TransportFault):
            continue
        cause = record.explained(call_result, result.clause)
        if (
            call_result.expected.kind == "redirect-loop"
            and call_result.reply.batch is not None
            and record.is_broken(_REDIRECTS)
        ):
            cause = _REDIRECTS
        if cause:
            result.set_aside(cause)
            continue
        result.observe()
        error = call_result.reply.error
        kinds = _kinds_of(record, call_result.expected, result.clause)
        if error is None:
            problem, code = f"taken for a batch: {call_result.expected.what}", "taken"
        elif error.kind not in kinds:
            problem, code = f"another kind of error: {case_result.title}", "kind"
        else:
            if call_result.expected.kind == "redirect-loop" and call_result.requests <= 1:
                result.limit("the client did not follow the redirects")
            continue
        result.fail(call_result.last, problem, expected=shown_kinds(kinds), actual=call_result.said(), code=code)


def _kinds_of(record: ClientRunRecord, expected: TransportFault, clause: str) -> frozenset[str]:
    """Return the kinds under which a fault may be reported.

    For a response that breaks off, these include the kinds that the client reports for JSON that breaks off.
    """
    kinds = accepted_kinds(clause)
    if not expected.begun:
        return kinds
    if expected.kind not in ("drip", "drip-head"):
        kinds |= accepted_kinds(clause, "begun")
    called = {
        call_result.reply.error.kind
        for case_result in record.plays
        if case_result.clauses[0] == _CUT_OFF_JSON
        for call_result in case_result.turns
        if call_result.reply.error is not None
    }
    return kinds | (called & accepted_kinds(clause, "like"))


for _kind, _needs in {
    "refused": [],
    "reset": [_CUT_OFF_JSON],
    "truncated": [_CUT_OFF_JSON, "client.fault.reset", "client.decode.transfer"],
    "timeout": [_CUT_OFF_JSON],
    "drip": [_CUT_OFF_JSON],
    "drip-head": [_CUT_OFF_JSON, "client.fault.drip", "client.fault.timeout"],
    "redirect-loop": [_REDIRECTS],
}.items():
    CLIENT_CHECKS.check(f"client.fault.{_kind}", needs=_needs)(_check_error_in_time)
