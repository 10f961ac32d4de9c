"""Requests sent at the same time: reads with the valid key, and some with other keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batch_conformance.contract import current_contract
from batch_conformance.generate import keys
from batch_conformance.generate.ids import known_id
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext

#: Names under which burst requests with an unknown key and with another organisation's are recorded.
UNKNOWN_KEY, OTHER_ORG = "burst-unknown-key", "burst-other-org"


def burst(context: ProbeContext, count: int) -> Iterator[PlannedRequest]:
    """Yield ``count`` requests to be sent at once: reads with the valid key, every third with another one.

    The other keys are an unknown one and, alternately, another organisation's, if there is one.
    """
    other_keys = [(UNKNOWN_KEY, next(keys.unknown_keys(context.seed, context.secret)))]
    if context.other_key is not None:
        other_keys.append((OTHER_ORG, context.other_key))
    asks_for_key = current_contract().operation("get").key is not None
    for index in range(count):
        batch_id = context.ids[index % len(context.ids)]
        if asks_for_key and index % 3 == 1:
            probe, key = other_keys[index // 3 % len(other_keys)]
            if probe == OTHER_ORG:
                # A batch in another state than those that the other organisation requests alone.
                batch_id = context.by_state()[4 % len(context.ids)]
            label = f"{key.label}, while others come with the valid one"
            yield replace(context.anonymous(probe, known_id(batch_id), key), lane="", label=label)
        else:
            yield replace(context.read("burst", batch_id), lane="")
