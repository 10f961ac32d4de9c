"""Checks of servers: one for each ``server.*`` clause, over the exchanges that a runner recorded."""

from batch_conformance.checks.server import auth, body, error, header, method, notfound, ok, other_org, poll
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.contract.parts import parts as operation_parts

__all__ = [
    "SERVER_CHECKS", "Record", "auth", "body", "error", "header", "method", "notfound", "ok", "other_org", "poll",
]  # fmt: skip

# Import the operations' own checks, which register themselves.
list(operation_parts("server_checks"))
