"""Staging hooks: bring a server under test into states that it does not show by itself.

A server team offers a URL or a command. The suite asks it for one *stage* at a time: ``500`` or ``429`` (the
next authenticated read of a known batch is answered with it), or one of the five statuses (a batch in that
state). A URL gets ``POST {url}/{stage}`` with the API key in its header; a command is run with the stage as
its last argument. Either may answer with a JSON object ``{"batch_id": "…"}``. A stage that is not offered is
refused: 404 or 501 from a URL, a non-zero exit status from a command. Its clauses are then not exercised.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.contract import base_contract, current_contract

#: Timeout of a hook for one stage, in seconds.
HOOK_TIMEOUT = 30.0


class Stager(Protocol):
    """A hook that brings a server under test into states."""

    def answer_next(self, status: int) -> bool:
        """Have the next authenticated read of a known batch answered with ``status``.

        False if not offered.
        """
        ...

    def batch_in(self, state: str) -> str | None:
        """Return the id of a batch in one of the five states; None if not offered."""
        ...


@dataclass(frozen=True)
class UrlStager:
    """A hook behind a URL. Raises :class:`CouldNotRun` when it cannot be reached or fails."""

    url: str
    api_key: str = field(repr=False)

    def answer_next(self, status: int) -> bool:
        """See :class:`Stager`."""
        return self._ask(str(status)) is not None

    def batch_in(self, state: str) -> str | None:
        """See :class:`Stager`."""
        return _batch_id(self._ask(state))

    def _ask(self, stage: str) -> Any:
        url = f"{self.url.rstrip('/')}/{stage}"
        try:
            # Like all requests to servers, this ignores the proxies of the environment.
            answer = httpx.post(url, headers={_key_header(): self.api_key}, timeout=HOOK_TIMEOUT, trust_env=False)
        except httpx.HTTPError as error:
            raise CouldNotRun(f"the staging hook {url} cannot be reached: {type(error).__name__}") from None
        if answer.status_code in (404, 501):
            return None
        if not answer.is_success:
            raise CouldNotRun(f"the staging hook {url} answered {answer.status_code}; 2xx says done, 404 not offered")
        return _answer(answer.text)


@dataclass(frozen=True)
class CommandStager:
    """A hook that is a command, run without a shell. Raises :class:`CouldNotRun` when it cannot be run."""

    command: str

    def answer_next(self, status: int) -> bool:
        """See :class:`Stager`."""
        return self._ask(str(status)) is not None

    def batch_in(self, state: str) -> str | None:
        """See :class:`Stager`."""
        return _batch_id(self._ask(state))

    def _ask(self, stage: str) -> Any:
        try:
            done = subprocess.run(
                [*shlex.split(self.command), stage],
                capture_output=True,
                timeout=HOOK_TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, ValueError) as error:
            raise CouldNotRun(f"the staging hook {self.command!r} cannot be run: {error}") from None
        except subprocess.TimeoutExpired:
            raise CouldNotRun(f"the staging hook {self.command!r} did not end in {HOOK_TIMEOUT:g} s") from None
        return _answer(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else None


def _key_header() -> str:
    """Return the header in which hooks get the key: the contract's, even if an overlay removed it."""
    contracts = (current_contract(), base_contract())
    names = (operation.key_header for contract in contracts for operation in contract.operations.values())
    return next(filter(None, names), "Authorization")


def open_stager(spec: str, api_key: str) -> Stager:
    """Return the hook that ``--batch-stage`` names: an http(s) URL, else a command."""
    return UrlStager(spec, api_key) if spec.startswith(("http://", "https://")) else CommandStager(spec)


def _answer(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _batch_id(answer: Any) -> str | None:
    value = answer.get("batch_id") if isinstance(answer, dict) else None
    return value if isinstance(value, str) and value else None
