"""Planned requests for List Batches, and their number by profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batch_conformance.generate.ids import AskedId
from batch_conformance.generate.keys import Key
from batch_conformance.operations.list_batches.filters import query_of
from batch_conformance.operations.list_batches.lists import OPERATION
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext

_LIST = AskedId("", "", "known", "the list of batches")
#: The same, for requests that a server may refuse.
MAY_BE_REFUSED = replace(_LIST, kind="near")


def listing(
    context: ProbeContext,
    probe: str,
    key: Key | None = None,
    *,
    label: str = "",
    query: Mapping[str, str] | None = None,
) -> PlannedRequest:
    """Plan a request for the list, with the valid key unless another is given, and a query by wire names."""
    return PlannedRequest(
        probe,
        _LIST,
        context.key if key is None else key,
        key_name=context.key_name,
        query=tuple((query or {}).items()),
        label=label or (f"the list with {', '.join(query)}" if query else ""),
        operation=OPERATION,
        lane="valid" if key is None or key is context.key else "anonymous",
    )


def filtered(context: ProbeContext, probe: str, filters: Mapping[str, str], *, label: str = "") -> Probe:
    """Plan a request with filters, by their internal names; none where the contract lacks one of them."""
    query = query_of(filters)
    if query is not None:
        yield listing(context, probe, query=query, label=label)


def by_profile(context: ProbeContext, quick: int, default: int, thorough: int) -> int:
    """Return the number for the profile of the run."""
    return {"quick": quick, "default": default}.get(context.profile.name, thorough)


def is_quick(context: ProbeContext) -> bool:
    """Whether the profile is ``quick``."""
    return context.profile.name == "quick"
