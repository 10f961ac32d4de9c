"""Checks of clients: one per ``client.*`` clause, over the recorded cases of a run."""

from batch_conformance.checks.client import auth, decode, error, fault, members, optional, reject, request, retry
from batch_conformance.checks.client.record import CLIENT_CHECKS, CallResult, CaseResult, ClientRunRecord
from batch_conformance.contract.parts import parts

__all__ = [
    "CLIENT_CHECKS",
    "CallResult",
    "CaseResult",
    "ClientRunRecord",
    "auth",
    "decode",
    "error",
    "fault",
    "members",
    "optional",
    "reject",
    "request",
    "retry",
]

# The operations' own checks register themselves.
list(parts("client_checks"))
