"""The judges of clients: one a ``client.*`` clause, over the plays of a run."""

from batch_conformance.judge.client import auth, decode, error, fault, members, reject, request, retry
from batch_conformance.judge.client.material import CLIENT_BENCH, ClientRecord, Play, Turn

__all__ = [
    "CLIENT_BENCH",
    "ClientRecord",
    "Play",
    "Turn",
    "auth",
    "decode",
    "error",
    "fault",
    "members",
    "reject",
    "request",
    "retry",
]
