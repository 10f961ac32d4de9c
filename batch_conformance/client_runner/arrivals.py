"""Explanation for a run in which no request of the client ever reached a stub."""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Number of calls without a single request after which the run is given up.
MAX_CALLS_WITHOUT_REQUEST = 60
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_LOOPBACK = frozenset({"*", "127.0.0.1", "127.0.0.0/8"})


def no_request_arrived(client: str, calls: int, last: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a one-line error for a client that sent no request in ``calls`` calls.

    ``last`` describes the result of the last call. Proxies are named by their variables only: the values may hold
    passwords.
    """
    variables = os.environ if environment is None else environment
    proxies = [name for name in _PROXIES if variables.get(name)]
    exempt = {host.strip() for name in ("NO_PROXY", "no_proxy") for host in variables.get(name, "").split(",")}
    cause = "perhaps it ignores base_url: each call names another port of 127.0.0.1"
    if proxies and not exempt & _LOOPBACK:
        verb = "is" if len(proxies) == 1 else "are"
        cause = (
            f"{' and '.join(proxies)} {verb} set and NO_PROXY does not name 127.0.0.1 (set "
            "NO_PROXY=127.0.0.1,localhost), or it ignores base_url"
        )
    return f"no request of the client {client} arrived in {calls} calls: the last call gave {last}; {cause}"
