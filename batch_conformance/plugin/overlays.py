"""``--batch-overlay``: sets the contract of the run, before anything is derived from it."""

from __future__ import annotations

import pytest

from batch_conformance.contract import load_contract, load_with_overlays, use_contract
from batch_conformance.contract.current import checked_files
from batch_conformance.contract.document import ContractError
from batch_conformance.plugin.options import UsageProblem, overlay_files


def apply_overlays(config: pytest.Config) -> None:
    """Use the contract with the overlays until the end of the run. Raises ``pytest.UsageError`` for an invalid one."""
    try:
        contract = load_with_overlays(overlay_files(config))
    except (ContractError, UsageProblem) as problem:
        raise pytest.UsageError(str(problem)) from None
    use_contract(contract)
    config.add_cleanup(lambda: use_contract(None))


def check_contract() -> None:
    """Check edited contract files before the suites are collected. Raises ``pytest.UsageError``."""
    try:
        checked_files()
        load_contract()
    except ContractError as problem:
        raise pytest.UsageError(str(problem)) from None
