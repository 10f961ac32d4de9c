"""Hypothesis properties for client cases of Get Batch, one per member or clause."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from batch_conformance.checks.client.members import ONE_BY_ONE
from batch_conformance.client_runner.cases.case import Case, CaseFactory, ordinary_values
from batch_conformance.client_runner.cases.generated import Property
from batch_conformance.client_runner.cases.wrong_types import wrong_type_case, wrong_types
from batch_conformance.generate import batches
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.get_batch.client_cases.decode import (
    FRACTIONS,
    counts_case,
    date_case,
    extra_case,
    fraction_case,
    letters_case,
)
from batch_conformance.operations.get_batch.client_cases.errors import odd_case
from batch_conformance.operations.get_batch.client_cases.odd_bodies import odd_error_bodies
from batch_conformance.operations.get_batch.client_cases.strategies import counts, valid_batches
from batch_conformance.operations.get_batch.client_cases.transfer import (
    WAYS,
    transfer_case,
    transfer_step,
    wide,
)


def _transfer(factory: CaseFactory, drawn: tuple[batches.Style, str, str, str]) -> Case:
    style, output, webhook, way = drawn
    batch = wide(factory, outputUrl=output, webhookUrl=webhook)
    return transfer_case(factory, f"sent {way}, as {style}", batch, style, way)


def _everything(factory: CaseFactory, drawn: tuple[dict[str, Any], batches.Style, str]) -> Case:
    members, style, way = drawn
    values = factory.values
    batch = values.with_id(_over(values.base, members), factory.id())
    if values.edited and not values.space.is_valid(batch):
        raise NotInContract("the contract does not allow such a batch")
    return Case(
        "a batch with everything at once",
        ("client.decode.fields",),
        (transfer_step(factory, batch, style, way),),
    )


def _over(base: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """Return the generated batch without undocumented members, completed by those of ``base``."""
    entity = ordinary_values("get").entity
    known = [name for name in _DRAWN if entity.has(f"/{name}")]
    undocumented = [name for name in _DRAWN if name not in known]
    made = {name: value for name, value in members.items() if name not in undocumented}
    for name, value in base.items():
        if name not in _DRAWN:
            made[name] = value
        elif isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = value | {key: item for key, item in made[name].items() if key in value or name in _DRAWN}
        elif name not in made and name in entity.required:
            made[name] = value
    return made


_DRAWN = ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")


def _extra(factory: CaseFactory, drawn: tuple[dict[str, Any], dict[str, Any]]) -> Case:
    top, inside = (", ".join(members) for members in drawn)
    return extra_case(factory, f"extra members {top}; in metrics {inside}", *drawn)


_WAY = st.sampled_from(list(WAYS))
_ODD = st.sampled_from((404, 401, 403, 400, 422)).flatmap(
    lambda status: st.tuples(st.just(status), odd_error_bodies(status))
)
PROPERTIES = (
    Property("client.decode.created_at", batches.instants, date_case),
    Property("client.decode.created_at-letters", batches.lower_case_instants, letters_case),
    Property("client.decode.counts", lambda: counts(unfinished=True), counts_case),
    Property(
        "client.decode.counts-fraction",
        lambda: st.tuples(counts(unfinished=True), st.sampled_from(FRACTIONS)),
        lambda factory, drawn: fraction_case(factory, *drawn),
    ),
    Property(
        "client.decode.unknown-fields",
        lambda: st.tuples(batches.extra_members(), batches.extra_members()),
        _extra,
    ),
    Property(
        "client.decode.transfer",
        lambda: st.tuples(batches.styles(), batches.urls(wide=True), batches.urls(wide=True), _WAY),
        _transfer,
    ),
    Property(
        "client.decode.fields",
        lambda: st.tuples(valid_batches("batch_x"), batches.styles(), _WAY),
        _everything,
        beside=ONE_BY_ONE,
    ),
    Property("client.reject.wrong-types", lambda: st.sampled_from(wrong_types(most=12)), wrong_type_case),
    Property("client.error.odd-body", lambda: _ODD, lambda factory, drawn: odd_case(factory, *drawn)),
)
