"""Cases for ``client.request.*``: the request target and the encoding of ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from batch_conformance.checks.client.record import Unconstrained
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.generate.client_ids import DOTS, TRICKY

_PREFIXES = ("/gateway", "/api/v1/lip-sync", "/v2", "/Tenants/A%20B")


def request_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases of base URLs with a path, ids that need encoding, and dot segments as ids."""
    for prefix in _PREFIXES:
        yield Case(
            f"a base URL with the path {prefix}",
            ("client.request.target",),
            (factory.valid(factory.batch()),),
            base_path=prefix,
        )
    for batch_id, what in TRICKY:
        yield id_case(factory, batch_id, f"an id with {what}" if not what.startswith("what") else f"an id of {what}")
    for batch_id in DOTS:
        yield Case(
            f"the id {batch_id!r}",
            ("client.request.dot-id",),
            (CallStep(batch_id, Unconstrained(), (json_body(_of_id(factory, batch_id)),)),),
        )


def id_case(factory: CaseFactory, batch_id: str, title: str) -> Case:
    """Return a case of an ordinary batch with this id, in the request and in the batch.

    If the current contract does not allow the id in a batch, only the request is checked.
    """
    if not factory.values.may_have(batch_id):
        step = CallStep(batch_id, Unconstrained(), (json_body(factory.batch()),))
        return Case(title, ("client.request.id-encoding",), (step,))
    return Case(
        title,
        ("client.request.id-encoding", "client.decode.fields"),
        (replace(factory.valid(factory.batch(batch_id)), batch_id=batch_id),),
    )


def _of_id(factory: CaseFactory, batch_id: str) -> dict[str, Any]:
    """Return a batch with this id, or with any id if the current contract does not allow this one."""
    return factory.batch(batch_id if factory.values.may_have(batch_id) else None)
