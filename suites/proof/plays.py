"""Plays of a client made by hand, for the tests of the judges."""

from __future__ import annotations

from typing import Any

from batch_conformance.client.call import Call, ErrorKind, Reply, ReportedError
from batch_conformance.exchange import Exchange, Intent, Request, Response
from batch_conformance.judge.client import CLIENT_BENCH, ClientRecord, Play, Turn
from batch_conformance.judge.client.material import Told, Valid
from batch_conformance.judge.finding import Judgement

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


def exchange_to(
    path: str = "/v2/batch/batch_1", status: int = 200, at: float = 0.0, **headers: str
) -> Exchange:
    """A request to that path, and an answer of that status."""
    sent = {"host": "127.0.0.1:4000", "x-api-key": KEY} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    request = Request("GET", BASE + path, tuple(sent.items()))
    return Exchange(
        1, Intent("", "batch_1", "known", "valid"), request, Response(status, ()), started=at, ended=at
    )


def turn(told: Told, reply: Reply, *seen: Exchange, batch_id: str = "batch_1") -> Turn:
    """One call."""
    rows = seen or (exchange_to(),)
    return Turn(Call(BASE, KEY, batch_id, 5.0), told, reply, rows, len(rows))


def reported(kind: ErrorKind, status: int | None = None, message: str = "no") -> Reply:
    """A reported error."""
    return Reply(error=ReportedError(kind, status, message))


def handed_over(**changed: Any) -> Reply:
    """A batch handed over."""
    return Reply(batch=BATCH | changed)


def made_play(clause: str, *turns: Turn, ordinary: bool = False) -> Play:
    """A play for one clause."""
    return Play("made by hand", (clause,), turns, ordinary=ordinary)


def judged(clause: str, *turns: Turn, plain: Reply | None = None) -> Judgement:
    """The clause's judgement of one play beside an ordinary one."""
    ordinary = made_play("client.decode.fields", turn(Valid(BATCH), plain or handed_over()), ordinary=True)
    record = ClientRecord(
        (ordinary, made_play(clause, *turns)), {KEY: "[api-key]", "sk-other-key": "[other]"}
    )
    return CLIENT_BENCH.judges[clause](record)
