"""Requests under way at once: reads with the valid key, and others with other keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batch_conformance.contract import current_contract
from batch_conformance.generate import keys
from batch_conformance.generate.ids import known_id
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext

#: What the requests with another key in a burst are recorded as.
UNKNOWN_KEY, OTHER_ORG = "burst-unknown-key", "burst-other-org"


def burst(context: ProbeContext, count: int) -> Iterator[PlannedRequest]:
    """So many requests to be under way at once: reads with the valid key, and each third with another one.

    That is one that nobody issued and, in turn, another organisation's, if there is one.
    """
    others = [(UNKNOWN_KEY, next(keys.unknown_keys(context.seed, context.secret)))]
    if context.other_key is not None:
        others.append((OTHER_ORG, context.other_key))
    asks_for_key = current_contract().operation("get").key is not None
    for index in range(count):
        asked = context.ids[index % len(context.ids)]
        if asks_for_key and index % 3 == 1:
            probe, key = others[index // 3 % len(others)]
            if probe == OTHER_ORG:
                # A batch in a state of its own that the other organisation did not ask for alone.
                asked = context.by_state()[4 % len(context.ids)]
            label = f"{key.label}, while others come with the valid one"
            yield replace(context.anonymous(probe, known_id(asked), key), lane="", label=label)
        else:
            yield replace(context.read("burst", asked), lane="")
