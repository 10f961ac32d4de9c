"""Hypothesis strategies for batches and their counts.

``valid_batches`` follows the contract without overlays (contracts/decisions.md, 1, 2, 6, 7). ``counts``
generates one member alone, so that other members cannot affect its check.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from batch_conformance.contract import base_contract, cached_by_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.generate.batches import LARGEST, extra_members, instants, urls
from batch_conformance.operations.get_batch.client_cases.decode import COUNTS, DONE

_LIMITS = (0, 1, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 2, LARGEST)


@cached_by_contract
def counts(*, unfinished: bool) -> st.SearchStrategy[dict[str, int]]:
    """Return a strategy for valid counts. Those of an ``unfinished`` batch need not add up to the total."""

    def built(parts: tuple[int, int, int], rest: int) -> dict[str, int]:
        success, failed, pending = parts if unfinished else (parts[0], parts[1], 0)
        total = min(success + failed + pending + (rest if unfinished else 0), LARGEST)
        return dict(zip(COUNTS, (total, success, failed, pending), strict=True))

    # At most a third of the largest each, so that their sum is still exact in a double.
    one = st.one_of(
        st.integers(0, 1000), st.sampled_from([limit // 3 for limit in _LIMITS]), st.integers(0, LARGEST // 3)
    )
    return st.builds(built, st.tuples(one, one, one), st.one_of(st.integers(0, 50), st.just(LARGEST)))


@st.composite
def valid_batches(draw: st.DrawFn, batch_id: str | None = None, *, extras: bool = True) -> dict[str, Any]:
    """Draw a valid batch that varies everything: status, date, counts, texts, extra members at any depth."""
    status = draw(st.sampled_from(entity_of("get", base_contract()).lifecycle.values))
    metrics: dict[str, Any] = draw(counts(unfinished=status not in DONE))
    batch: dict[str, Any] = {
        "id": batch_id or draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12)),
        "created_at": draw(instants()),
        "status": status,
        "metrics": metrics,
        "outputUrl": draw(urls(wide=True) if status == "COMPLETED" else st.one_of(urls(wide=True), st.just(""))),
    }
    webhook = draw(st.one_of(st.just("absent"), st.none(), urls(wide=True)))
    if webhook != "absent":
        batch["webhookUrl"] = webhook
    if extras:
        batch |= {name: value for name, value in draw(extra_members()).items() if name not in batch}
        metrics |= {name: value for name, value in draw(extra_members()).items() if name not in metrics}
    return batch
