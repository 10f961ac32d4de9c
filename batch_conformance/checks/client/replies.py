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

__all__ = ["FRESH", "PER_CALL", "blame_unclaimed_replies", "blame_wrong_replies", "plain_cause", "reply_problem"]

PER_CALL = "client.auth.per-call"


def reply_problem(record: ClientRunRecord, turn: CallResult) -> str:
    """Describe what is wrong with a call's reply given its response; empty if nothing is."""
    told = turn.expected
    if turn.reply.broken is not None:
        return "" if record.retries_without_end(turn) else "the client itself failed"
    if isinstance(told, ValidBatch):
        return _valid_problem(record, turn, told)
    if isinstance(told, HttpError):
        return _refusal_problem(turn, told)
    if isinstance(told, InvalidSuccess | TransportFault):
        if turn.reply.error is None:
            return f"taken for a batch: {told.what}"
        if turn.reply.error.kind in FALSE_KINDS:
            return f"reported as an HTTP status that never came: {told.what}"
    return ""


def _valid_problem(record: ClientRunRecord, turn: CallResult, told: ValidBatch) -> str:
    if told.refusable:
        return ""  # the case's main clause judges it
    if turn.reply.batch is None:
        return "a valid batch did not reach the caller"
    for one in changes(told.batch, turn.reply.batch, sound_places(record)):
        return f"{one.name} is {shown(one.handed)} where the answer says {shown(one.leaf.value)}"
    return ""


def _refusal_problem(turn: CallResult, told: HttpError) -> str:
    error = turn.reply.error
    if error is not None and error.kind == "timeout" and may_be_retried(told.status):
        return ""  # it may retry, or wait for a retry, until the deadline
    operations = current_contract().operations
    if any(exchange.status == operations[exchange.intent.operation].success_status for exchange in turn.seen):
        return ""  # it retried until there was a batch
    problem = status_problem(turn, told)
    return f"a {told.status} {problem}" if problem else ""


def code_of(turn: CallResult) -> str:
    """Return the finding code for a wrong reply."""
    told, error = turn.expected, turn.reply.error
    if turn.reply.broken is not None:
        return "crash"
    if isinstance(told, ValidBatch):
        return "refused" if turn.reply.batch is None else "changed"
    if isinstance(told, HttpError):
        return status_code_of(turn, told)
    return "taken" if error is None else "kind"


def plain_cause(record: ClientRunRecord, turn: CallResult, clause: str) -> str:
    """Return the broken clause about a simpler form of the response, which explains a wrong reply, or ""."""
    told = turn.expected
    causes: list[str] = []
    if isinstance(told, ValidBatch):
        if any(turn.reply.batch is None for _, turn, _ in record.ordinary):
            causes.append(FIELDS)
        causes += [f"client.decode.{name}" for name in _special(record, told.batch)]
    elif isinstance(told, HttpError):
        causes = [clause_of_status(told.status)]
        causes += ["client.error.odd-body", "client.error.status-line-wins"] if told.body else []
    elif isinstance(told, InvalidSuccess):
        causes = ["client.reject.not-json", "client.reject.not-object", "client.reject.wrong-types"]
    elif isinstance(told, TransportFault):
        causes = [f"client.fault.{told.kind}", *told.plainly]
    return next((cause for cause in causes if cause != clause and record.is_broken(cause)), "")


def _special(record: ClientRunRecord, batch: Mapping[str, object]) -> Iterator[str]:
    if state_of(batch) not in [state_of(plain) for _, _, plain in record.ordinary]:
        yield from ("status", "counts")
    if any(leaf.empty or leaf.value == "" for leaf in leaves_of(batch)):
        yield "optional"


def expected_reply(turn: CallResult) -> str:
    """Describe the reply that a call should have had."""
    if isinstance(turn.expected, ValidBatch):
        return f"the batch {shown(id_of(turn.expected.batch))}, as its own answer has it"
    if isinstance(turn.expected, HttpError):
        kinds = " or ".join(sorted(kinds_of(turn.expected.status) - {"other", "timeout"}))
        return f"an error of kind {kinds} with status {turn.expected.status}"
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
    for play in record.plays:
        if play.clauses[0] not in _ABOUT_SOMETHING_ELSE or len(play.turns) > 1:
            continue
        (turn,) = play.turns
        if not turn.seen or turn.reply.broken is not None or any(id(one) in cited for one in turn.seen):
            continue
        clause = clause_of_status(turn.expected.status) if isinstance(turn.expected, HttpError) else FIELDS
        problem = reply_problem(record, turn)
        if not problem or clause not in judgements or plain_cause(record, turn, ""):
            continue
        judgements[clause].observe()
        judgements[clause].fail(
            turn.last,
            f"{problem}: {play.title}",
            expected=expected_reply(turn),
            actual=turn.said(),
            code=code_of(turn),
        )


def blame_wrong_replies(record: ClientRunRecord, result: CheckResult, play: CaseResult) -> None:
    """Compare every reply of a case with several calls with its own response.

    Faults that also occur in single calls are left to their clauses; so is the first of consecutive calls.
    """
    for number, turn in enumerate(play.turns, 1):
        if number == 1 and not play.together:
            continue
        problem = reply_problem(record, turn)
        if not problem:
            result.observe()
        elif cause := plain_cause(record, turn, result.clause):
            result.set_aside(cause)
        else:
            result.observe()
            result.fail(
                turn.last or next((one.last for one in play.turns[number - 2 :: -1] if number > 1), None),
                f"call {number} of {len(play.turns)}: {problem}: {play.title}",
                expected=expected_reply(turn),
                actual=turn.said(),
                code=code_of(turn),
            )
