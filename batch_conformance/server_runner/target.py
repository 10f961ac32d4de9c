"""Resolve ``--batch-target`` to the server under test: base URL, key, known ids and request rate."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from batch_conformance.contract import base_contract, current_contract
from batch_conformance.generate.keys import Key
from batch_conformance.http.model import KeyKind
from batch_conformance.http.text import names_variable
from batch_conformance.server_runner.gateway import ExtraHeader, context_of, extra_headers
from batch_conformance.server_runner.gateway import UsageError as UsageError
from batch_conformance.server_runner.staging import Stager, open_stager

#: Default rate for a server that is not on this machine, in requests per second.
POLITE_RATE = 8.0
#: A host with a port or a dot, as in a URL without its scheme.
_ADDRESS = re.compile(r"(?:[\w-]+:\d+|[\w-]+(?:\.[\w-]+)+(?::\d+)?)(?:/\S*)?")
_TABLE = "[tool.batch_conformance.targets.{}]"


def _with_scheme(address: str) -> str:
    scheme = "http" if is_loopback(f"http://{address}") else "https"
    return f"{scheme}://{address}"


@dataclass(frozen=True)
class Target:
    """The server under test.

    ``rate`` is in requests per second, None for no limit; ``api_key_env`` names the key's variable.
    ``headers`` are sent with each request; without ``ssl_context`` the system's certificates are trusted.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    api_key_env: str = "SYNC_API_KEY"
    batch_ids: tuple[str, ...] = ()
    rate: float | None = None
    stager: Stager | None = None
    other_key: Key | None = None
    revoked_key: Key | None = None
    headers: tuple[ExtraHeader, ...] = ()
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @property
    def or_its_gateway(self) -> str:
        """Addition to a refusal's message, if there are extra headers that a gateway may have refused."""
        names = ", ".join(header.name for header in self.headers)
        return f"; or a gateway in front refuses what headers_env gives it ({names})" if names else ""

    @property
    def header_fields(self) -> list[tuple[str, str]]:
        """Names and values of the extra headers."""
        return [(header.name, header.value) for header in self.headers]

    @property
    def host(self) -> str:
        """The Host header's value, with the port unless it is the scheme's default."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def parse_rate(text: str) -> float:
    """Parse ``N/s`` or ``N/min`` to requests per second. Raises :class:`UsageError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*/\s*(s|min)", text.strip())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"rate {text!r} is not of the form N/s or N/min, e.g. --batch-rate 8/s")
    return float(match[1]) / (60 if match[2] == "min" else 1)


def resolve_target(
    spec: str,
    *,
    start: Path,
    batch_ids: Sequence[str] = (),
    api_key_env: str | None = None,
    rate: str | None = None,
    allow_production: bool = False,
    stage: str | None = None,
    other_key_env: str | None = None,
    revoked_key_env: str | None = None,
    ca: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Target:
    """Resolve a target that is not the embedded one.

    ``spec`` is a server name of the contract, a name of the nearest ``pyproject.toml`` above ``start``, or an
    http(s) URL. Raises :class:`UsageError` for anything else, and for a key that is not in the environment.
    """
    table: dict[str, Any] = {}
    known = current_contract().servers
    if "://" in spec:
        url = spec
    elif (found := _project_target(spec, start)) is not None:
        table, url = found, found["url"]
    elif spec in known:
        url = known[spec]
    else:
        names = ", ".join(["embedded", *known, *_project_targets(start)[1]])
        hint = f"; did you mean {_with_scheme(spec)}?" if _ADDRESS.fullmatch(spec) else ""
        raise UsageError(f"unknown target {spec!r}: give one of {names}, or an http(s) URL{hint} (--batch-target)")
    url = checked_url(url)
    if _is_production(url) and not allow_production:
        raise UsageError(f"{spec!r} is the production server: add --batch-allow-production if that is meant")
    variable = api_key_env or table.get("api_key_env") or "SYNC_API_KEY"
    in_table = not api_key_env and "api_key_env" in table
    key = _key_of(variable, environ, f"api_key_env of target {spec!r}" if in_table else "--batch-api-key-env")
    limit = rate or table.get("rate")
    return Target(
        name=spec,
        url=url,
        api_key=key,
        api_key_env=variable,
        batch_ids=tuple(batch_ids) or tuple(table.get("batch_ids", ())),
        rate=parse_rate(limit) if limit else (None if is_loopback(url) else POLITE_RATE),
        stager=open_stager(stage, key) if stage else None,
        other_key=_extra_key(other_key_env, environ, "other-org", "the valid key of another organisation", key),
        revoked_key=_extra_key(revoked_key_env, environ, "invalid", "a revoked key", key),
        headers=extra_headers(table.get("headers_env", {}), environ, f"target {spec!r}"),
        ssl_context=context_of(ca) if ca else None,
    )


def _key_of(variable: str, environ: Mapping[str, str], option: str) -> str:
    if not names_variable(variable, environ):
        # Not repeated: it may be the key itself.
        raise UsageError(
            f"{option} takes the name of an environment variable, such as SYNC_API_KEY, not a key, "
            "and no variable of the name that was given is set"
        )
    key = environ.get(variable, "")
    if not key:
        raise UsageError(f"no API key: set the environment variable {variable} (named by {option})")
    if key.strip() != key or not key.isprintable() or not key.isascii():
        raise UsageError(f"the API key in {variable} has white space around it or characters no header can carry")
    return key


def _extra_key(variable: str | None, environ: Mapping[str, str], kind: KeyKind, label: str, main: str) -> Key | None:
    if not variable:
        return None
    option = "--batch-other-key-env" if kind == "other-org" else "--batch-revoked-key-env"
    key = _key_of(variable, environ, option)
    if key == main:
        raise UsageError(f"{variable} holds the same key as the target's own ({option})")
    return Key(key, kind, label, f"${variable}")


def checked_url(url: str) -> str:
    """Return the base URL without a trailing slash.

    Raises :class:`UsageError` if it is not an http(s) base URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or any(char.isspace() for char in url):
        raise UsageError(f"{url!r} is not an http(s) URL such as http://127.0.0.1:3001 (--batch-target)")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("the target's URL has credentials, a query or a fragment: give the base URL alone")
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the URL points to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_production(url: str) -> bool:
    # A trailing dot does not change which host a name resolves to.
    host = (urlsplit(url).hostname or "").rstrip(".")
    # Where an overlay moves the production server, the original one is still production.
    urls = (contract.servers.get("production", "") for contract in (base_contract(), current_contract()))
    return host in [urlsplit(url).hostname for url in urls if url]


def _project_targets(start: Path) -> tuple[Path | None, dict[str, Any]]:
    """Return the nearest pyproject.toml that has a table for the suite, and its targets."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            tool = tomllib.loads(file.read_text("utf-8")).get("tool", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: not valid TOML: {error}") from None
        section = tool.get("batch_conformance", {})
        targets = section.get("targets", {}) if isinstance(section, dict) else None
        if not isinstance(targets, dict):
            raise UsageError(f"{file}: [tool.batch_conformance.targets] is not a table of targets")
        return file, targets
    return None, {}


_FIELDS: dict[str, tuple[type[Any], str]] = {
    "url": (str, "a string"),
    "api_key_env": (str, "a string, the name of an environment variable"),
    "batch_ids": (list, "an array of strings"),
    "rate": (str, 'a string such as "8/s"'),
    "headers_env": (dict, "a table of header names, each with the name of an environment variable"),
}


def _project_target(name: str, start: Path) -> dict[str, Any] | None:
    file, targets = _project_targets(start)
    if name not in targets:
        return None
    table, where = targets[name], f"{file}: {_TABLE.format(name)}"
    if not isinstance(table, dict):
        raise UsageError(f"{where} is not a table")
    for field_name, value in table.items():
        if field_name == "api_key":
            raise UsageError(f"{where} holds an API key: name its environment variable with api_key_env instead")
        if field_name not in _FIELDS:
            raise UsageError(f"{where} has an unknown field {field_name!r}: known are {', '.join(_FIELDS)}")
        kind, description = _FIELDS[field_name]
        strings = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in strings):
            raise UsageError(f"{where} field {field_name!r} is not {description}")
    if "url" not in table:
        raise UsageError(f"{where} has no url")
    return table
