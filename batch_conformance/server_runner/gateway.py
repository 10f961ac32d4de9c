"""Gateways in front of a staging server: their headers, certificates and tunnels."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batch_conformance.contract import current_contract
from batch_conformance.contract.sendable import TRANSPORT_HEADERS, is_token
from batch_conformance.http import Exchange
from batch_conformance.http.text import names_variable
from batch_conformance.server_runner.address import trusting_context

#: Headers that the suite sets itself, or that change how a request is read.
_RESERVED = TRANSPORT_HEADERS | {"accept-encoding", "user-agent"}
#: Headers that proxies and load balancers add, but a server on this machine does not.
_PROXY_HEADERS = (
    "via", "cf-ray", "x-amz-cf-id", "x-amzn-trace-id", "x-amzn-requestid", "x-azure-ref", "fly-request-id",
    "x-vercel-id", "x-served-by", "x-cloud-trace-context", "ngrok-agent-ips",
)  # fmt: skip
#: A fastest response slower than this (seconds) is not from this machine, if at least so many came.
_FAR, _MIN_RESPONSES = 0.04, 10


class UsageError(ValueError):
    """The suite was called with something it cannot use: exit status 4.

    The message is one line for the user.
    """


@dataclass(frozen=True)
class ExtraHeader:
    """A header that a gateway requires with each request.

    ``variable`` is the environment variable of its value.
    """

    name: str
    value: str = field(repr=False)
    variable: str


def extra_headers(table: Mapping[str, str], environ: Mapping[str, str], where: str) -> tuple[ExtraHeader, ...]:
    """Return the headers of a ``headers_env`` table, which maps header names to environment variables.

    Raises :class:`UsageError` for a header that may not be set, and for a value that is missing or cannot be
    sent.
    """
    headers = []
    for name, variable in table.items():
        if not is_token(name) or name.lower() in _RESERVED | _contract_headers():
            raise UsageError(f"{where}: headers_env cannot set the header {name!r}")
        if not names_variable(variable, environ):
            # Not repeated: it may be the value itself.
            raise UsageError(
                f"{where}: headers_env names the environment variable that holds the value of {name}, such as "
                "GATEWAY_TOKEN, not the value, and no variable of the name that was given is set"
            )
        value = environ.get(variable, "")
        if not value:
            raise UsageError(f"{where}: no value for the header {name}: set the environment variable {variable}")
        if value.strip() != value or not value.isprintable() or not value.isascii():
            raise UsageError(f"{where}: {variable} has white space around it or characters no header can carry")
        headers.append(ExtraHeader(name, value, variable))
    return tuple(headers)


def _contract_headers() -> frozenset[str]:
    """Return the headers that the contract in use defines, in lower case."""
    rows = current_contract().operations.values()
    keys = (operation.key_header for operation in rows)
    required = (name for operation in rows for name, _ in operation.required_headers())
    return frozenset(name.lower() for name in (*keys, *required) if name)


def context_of(ca: Path) -> ssl.SSLContext:
    """Return a context that trusts the certificates in ``ca`` (PEM) too. Raises :class:`UsageError`."""
    context = trusting_context()
    # Relative to the working directory if below it, else absolute.
    display_path = os.path.relpath(ca) if ca.is_relative_to(Path.cwd()) else str(ca)
    try:
        context.load_verify_locations(ca)
    except FileNotFoundError:
        raise UsageError(f"there is no file {display_path} (--batch-ca)") from None
    except ssl.SSLError:
        raise UsageError(f"{display_path} holds no certificates in PEM (--batch-ca)") from None
    except OSError as error:
        raise UsageError(f"{display_path} cannot be read: {error.strerror} (--batch-ca)") from None
    return context


def tunnel_hints(exchanges: Sequence[Exchange]) -> Iterable[str]:
    """Yield a hint if a target on a loopback address does not seem to run on this machine."""
    proxy_header = next((name for exchange in exchanges for name in _PROXY_HEADERS if _has(exchange, name)), "")
    durations = [exchange.ended - exchange.started for exchange in exchanges if exchange.response is not None]
    reason = ""
    if proxy_header:
        reason = f"its answers carry the header {proxy_header}"
    elif any(exchange.status == 429 and exchange.intent.staged is None for exchange in exchanges):
        reason = "it answers 429"
    elif len(durations) >= _MIN_RESPONSES and min(durations) >= _FAR:
        reason = f"its fastest answer took {min(durations) * 1000:.0f} ms"
    if reason:
        yield (
            f"this loopback address may be a tunnel to a shared server ({reason}): "
            "no request rate is held on loopback, so give one, e.g. --batch-rate 8/s"
        )


def _has(exchange: Exchange, name: str) -> bool:
    return exchange.response is not None and bool(exchange.response.header_values(name))
