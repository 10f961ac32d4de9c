"""Checks of replies that apply to any call, whatever its case is about, so that each reply is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batch_conformance.checks.client.compare import (
    FIELDS,
    changes,
    id_of,
    leaves_of,
    shown,
    sound_places,
    state_of,
)
from batch_conformance.checks.client.error import kinds_of, status_code_of, status_problem
from batch_conformance.checks.client.record import (
    FRESH,
    CallResult,
    CaseResult,
    ClientRunRecord,
    HttpError,
    InvalidSuccess,
    TransportFault,
    ValidBatch,
    clause_of_status,
    may_be_retried,
)
from batch_conformance.checks.client.reject import FALSE_KINDS
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract import current_contract

__all__ = [
    "FRESH",
    "PER_CALL",
    "blame_unclaimed_replies",
    "blame_wrong_replies",
    "plain_cause",
    "reply_problem",
]

PER_CALL = "client.auth.per-call"


def reply_problem(record: ClientRunRecord, call_result: CallResult) -> str:
    """Describe what is wrong with a call's reply given its response; empty if nothing is."""
    expected = call_result.expected
    if call_result.reply.broken is not None:
        return "" if record.retries_without_end(call_result) else "the client itself failed"
    if isinstance(expected, ValidBatch):
        return _valid_problem(record, call_result, expected)
    if isinstance(expected, HttpError):
        return _error_problem(call_result, expected)
    if isinstance(expected, InvalidSuccess | TransportFault):
        if call_result.reply.error is None:
            return f"taken for a batch: {expected.what}"
        error = call_result.reply.error
        if error.kind in FALSE_KINDS and not call_result.got(error.status):
            return f"reported as an HTTP status that never came: {expected.what}"
    return ""


def _valid_problem(record: ClientRunRecord, call_result: CallResult, expected: ValidBatch) -> str:
    if expected.refusable:
        return ""  # the case's main clause judges it
    if call_result.reply.batch is None:
        return "a valid batch did not reach the caller"
    for one in changes(expected.batch, call_result.reply.batch, sound_places(record)):
        return f"{one.name} is {shown(one.decoded)} where the answer says {shown(one.leaf.value)}"
    return ""


def _error_problem(call_result: CallResult, expected: HttpError) -> str:
    error = call_result.reply.error
    if error is not None and error.kind == "timeout" and may_be_retried(expected.status):
        return ""  # it may retry, or wait for a retry, until the deadline
    operations = current_contract().operations
    if any(exchange.status == operations[exchange.intent.operation].success_status for exchange in call_result.seen):
        return ""  # it retried until there was a batch
    problem = status_problem(call_result, expected)
    return f"a {expected.status} {problem}" if problem else ""


def code_of(call_result: CallResult) -> str:
    """Return the finding code for a wrong reply."""
    expected, error = call_result.expected, call_result.reply.error
    if call_result.reply.broken is not None:
        return "crash"
    if isinstance(expected, ValidBatch):
        return "refused" if call_result.reply.batch is None else "changed"
    if isinstance(expected, HttpError):
        return status_code_of(call_result, expected)
    return "taken" if error is None else "kind"


def plain_cause(record: ClientRunRecord, call_result: CallResult, clause: str) -> str:
    """Return the broken clause about a simpler form of the response, which explains a wrong reply, or ""."""
    expected = call_result.expected
    causes: list[str] = []
    if isinstance(expected, ValidBatch):
        if any(call_result.reply.batch is None for _, call_result, _ in record.ordinary):
            causes.append(FIELDS)
        causes += [f"client.decode.{name}" for name in _special(record, expected.batch)]
    elif isinstance(expected, HttpError):
        causes = [clause_of_status(expected.status)]
        causes += ["client.error.odd-body", "client.error.status-line-wins"] if expected.body else []
    elif isinstance(expected, InvalidSuccess):
        causes = ["client.reject.not-json", "client.reject.not-object", "client.reject.wrong-types"]
    elif isinstance(expected, TransportFault):
        causes = [f"client.fault.{expected.kind}", *expected.plainly]
    return next((cause for cause in causes if cause != clause and record.is_broken(cause)), "")


def _special(record: ClientRunRecord, batch: Mapping[str, object]) -> Iterator[str]:
    if state_of(batch) not in [state_of(plain) for _, _, plain in record.ordinary]:
        yield from ("status", "counts")
    if any(leaf.empty or leaf.value == "" for leaf in leaves_of(batch)):
        yield "optional"


def expected_reply(call_result: CallResult) -> str:
    """Describe the reply that a call should have had."""
    if isinstance(call_result.expected, ValidBatch):
        return f"the batch {shown(id_of(call_result.expected.batch))}, as its own answer has it"
    if isinstance(call_result.expected, HttpError):
        kinds = " or ".join(sorted(kinds_of(call_result.expected.status) - {"other", "timeout"}))
        return f"an error of kind {kinds} with status {call_result.expected.status}"
    return "an error"


#: Clauses whose checks look at requests or messages only; their replies are judged here.
_ABOUT_SOMETHING_ELSE = frozenset(
    {
        "client.request.target",
        "client.error.message",
        "client.retry.never-401-404",
        "client.retry.bounded",
        "client.retry.waits",
    }
)


def blame_unclaimed_replies(record: ClientRunRecord, judgements: Mapping[str, CheckResult]) -> None:
    """Report wrong replies of single calls that no finding cites, against the clause of the response."""
    cited = {id(finding.exchange) for one in judgements.values() for finding in one.findings}
    for case_result in record.plays:
        if case_result.clauses[0] not in _ABOUT_SOMETHING_ELSE or len(case_result.turns) > 1:
            continue
        (call_result,) = case_result.turns
        if (
            not call_result.seen
            or call_result.reply.broken is not None
            or any(id(one) in cited for one in call_result.seen)
        ):
            continue
        clause = (
            clause_of_status(call_result.expected.status) if isinstance(call_result.expected, HttpError) else FIELDS
        )
        problem = reply_problem(record, call_result)
        if not problem or clause not in judgements or plain_cause(record, call_result, ""):
            continue
        judgements[clause].observe()
        judgements[clause].fail(
            call_result.last,
            f"{problem}: {case_result.title}",
            expected=expected_reply(call_result),
            actual=call_result.said(),
            code=code_of(call_result),
        )


def blame_wrong_replies(record: ClientRunRecord, result: CheckResult, case_result: CaseResult) -> None:
    """Compare every reply of a case with several calls with its own response.

    Faults that also occur in single calls are left to their clauses; so is the first of consecutive calls.
    """
    for number, call_result in enumerate(case_result.turns, 1):
        if number == 1 and not (case_result.together or case_result.preceded):
            continue
        problem = reply_problem(record, call_result)
        if not problem:
            result.observe()
        elif cause := plain_cause(record, call_result, result.clause):
            result.set_aside(cause)
        else:
            result.observe()
            result.fail(
                call_result.last or next((one.last for one in case_result.turns[number - 2 :: -1] if number > 1), None),
                f"call {number} of {len(case_result.turns)}: {problem}: {case_result.title}",
                expected=expected_reply(call_result),
                actual=call_result.said(),
                code=code_of(call_result),
            )
