"""Redaction of a run's keys: the name each is shown by, and how curl lines and replays obtain it again."""

from __future__ import annotations

from collections.abc import Sequence

from batch_conformance.checks.result import RunResult
from batch_conformance.generate import keys
from batch_conformance.http import Redactor
from batch_conformance.http.recipe import Piece
from batch_conformance.server_runner.gateway import ExtraHeader
from batch_conformance.server_runner.probe import ProbeContext

#: Shorter variants of the key are not redacted: they would match parts of ordinary text.
_SHORTEST = 6


def hide_keys(result: RunResult, context: ProbeContext, extra: Sequence[ExtraHeader] = ()) -> None:
    """Register for redaction: the valid key, its variants that were sent, the values of ``extra`` headers."""
    shell: dict[str, str] = {}
    recipes: dict[str, Piece] = {}
    redactor = Redactor()
    for near in keys.near_keys(context.secret, context.variable, context.seed):
        # A part of a short key may be an ordinary word.
        if near.value and len(near.value) >= _SHORTEST:
            redactor.add(near.value, f"[{near.label}]")
            recipes[near.value] = {"key": near.label}
            if near.shell:
                shell[near.value] = near.shell
    for header in extra:
        name = f"value of {header.name}"
        redactor.add(header.value, f"[{name}]", pieces=f"[part of {name}]")
        recipes[header.value] = {"env": header.variable}
        shell[header.value] = f"${header.variable}"
    for key in (context.key, context.other_key, context.revoked_key):
        if key is not None and key.value:
            name = "api-key" if key.kind == "valid" else key.label
            redactor.add(key.value, f"[{name}]", pieces=f"[part of {name}]")
            recipes[key.value] = {"env": key.shell.strip("${}")}
            shell[key.value] = key.shell
    result.redactor = redactor
    result.shell_secrets = shell
    result.recipes = recipes
    result.api_key_env = context.variable


def derived_keys(secret: str, variable: str, seed: int) -> dict[str, str]:
    """Return the variants of a key by label, as a run with this seed sends them."""
    return {near.label: near.value for near in keys.near_keys(secret, variable, seed) if near.value}
