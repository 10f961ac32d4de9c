"""The keys of a run: each hidden under the name it is shown by, with what yields it again for curl and for replay."""

from __future__ import annotations

from collections.abc import Sequence

from batch_conformance.checks.result import RunResult
from batch_conformance.generate import keys
from batch_conformance.http import Redactor
from batch_conformance.http.recipe import Piece
from batch_conformance.server_runner.gateway import ExtraHeader
from batch_conformance.server_runner.probe import ProbeContext

#: Variants of the key that are shorter are shown as they are: hidden, they would tear holes into any text.
_SHORTEST = 6


def hide_keys(result: RunResult, context: ProbeContext, extra: Sequence[ExtraHeader] = ()) -> None:
    """Register the valid key, every variant of it that was sent, and the values of ``extra`` headers."""
    shell: dict[str, str] = {}
    recipes: dict[str, Piece] = {}
    redactor = Redactor()
    for near in keys.near_keys(context.secret, context.variable, context.seed):
        # What is left of a short key may be an ordinary word.
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
    """The variants of a key by their labels, as a run with this seed sends them."""
    return {near.label: near.value for near in keys.near_keys(secret, variable, seed) if near.value}
