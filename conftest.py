"""Makes the plugin known where the package is not installed: in a copied or subtree'd folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_HERE = str(Path(__file__).parent)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin from this folder, unless it was loaded before (installed, or named with -p)."""
    if not pluginmanager.hasplugin("batch_conformance"):
        sys.path.insert(0, _HERE)
        import batch_conformance.plugin

        pluginmanager.register(batch_conformance.plugin, "batch_conformance")
    del parser
