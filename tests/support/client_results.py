"""Hand-made case results, for the tests of the client checks."""

from __future__ import annotations

from typing import Any

from batch_conformance.checks.client import CLIENT_CHECKS, CallResult, CaseResult, ClientRunRecord
from batch_conformance.checks.client.record import ExpectedOutcome, ValidBatch
from batch_conformance.checks.finding import CheckResult
from batch_conformance.client_runner.call import Call, ErrorKind, Reply, ReportedError
from batch_conformance.http import Exchange, Intent, Request, Response

KEY = "sk-AbCdEf123456+/=="
BASE = "http://127.0.0.1:4000"
BATCH: dict[str, Any] = {
    "id": "batch_1",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "metrics": {"total_generations": 47, "success_count": 31, "failed_count": 16, "pending_count": 0},
    "outputUrl": "https://api.sync.so/x",
    "webhookUrl": "https://hooks.example.com/y",
}


def exchange_to(path: str = "/v2/batch/batch_1", status: int = 200, at: float = 0.0, **headers: str) -> Exchange:
    """Return an exchange of a request to that path and a response of that status."""
    sent = {"host": "127.0.0.1:4000", "x-api-key": KEY} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    request = Request("GET", BASE + path, tuple(sent.items()))
    return Exchange(1, Intent("", "batch_1", "known", "valid"), request, Response(status, ()), started=at, ended=at)


def call_result(expected: ExpectedOutcome, reply: Reply, *seen: Exchange, batch_id: str = "batch_1") -> CallResult:
    """Return the result of one call."""
    rows = seen or (exchange_to(),)
    return CallResult(Call(BASE, KEY, batch_id, 5.0), expected, reply, rows, len(rows))


def error_reply(kind: ErrorKind, status: int | None = None, message: str = "no") -> Reply:
    """Return a reply with an error."""
    return Reply(error=ReportedError(kind, status, message))


def batch_reply(**changed: Any) -> Reply:
    """Return a reply with a batch, changed as given."""
    return Reply(batch=BATCH | changed)


def case_result(clause: str, *turns: CallResult, ordinary: bool = False) -> CaseResult:
    """Return the result of a case for one clause."""
    return CaseResult("made by hand", (clause,), turns, ordinary=ordinary)


def checked(clause: str, *turns: CallResult, plain: Reply | None = None) -> CheckResult:
    """Run the clause's check on one case result beside an ordinary one."""
    ordinary_call = call_result(ValidBatch(BATCH), plain or batch_reply())
    ordinary = case_result("client.decode.fields", ordinary_call, ordinary=True)
    record = ClientRunRecord((ordinary, case_result(clause, *turns)), {KEY: "[api-key]", "sk-other-key": "[other]"})
    return CLIENT_CHECKS.checks[clause](record)
