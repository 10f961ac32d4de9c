"""The judges of servers: one a ``server.*`` clause, over the exchanges that a campaign recorded."""

from batch_conformance.judge.server import auth, body, error, method, notfound, ok, poll
from batch_conformance.judge.server.record import SERVER_BENCH, Record

__all__ = ["SERVER_BENCH", "Record", "auth", "body", "error", "method", "notfound", "ok", "poll"]
