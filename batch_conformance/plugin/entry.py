"""Entry point of the installed plugin: registers it under its one name, unless it is registered already.

The plugin may also be loaded with ``-p batch_conformance.plugin``, by ``pytest_plugins`` or by the conftest.py of a
vendored folder, and by several of these at once.
"""

from __future__ import annotations

import pytest

from batch_conformance import plugin

NAME = "batch_conformance.plugin"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the plugin, early enough for its options."""
    if not pluginmanager.is_registered(plugin):
        pluginmanager.register(plugin, NAME)
