"""``--batch-overlay``: sets the contract of the run, before anything is derived from it."""

from __future__ import annotations

import pytest

from batch_conformance.contract import load_with_overlays, use_contract
from batch_conformance.contract.document import ContractError
from batch_conformance.plugin.options import UsageProblem, overlay_files


def apply_overlays(config: pytest.Config) -> None:
    """Use the contract with the overlays, if any, until the end of the run.

    Raises ``pytest.UsageError`` for an overlay or a file of the contract that cannot be used.
    """
    try:
        contract = load_with_overlays(overlay_files(config))
    except (ContractError, UsageProblem) as problem:
        raise pytest.UsageError(str(problem)) from None
    use_contract(contract)
    config.add_cleanup(lambda: use_contract(None))
