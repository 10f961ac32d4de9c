"""The entry point under which pytest finds the plugin: it makes sure that it is registered, once.

The plugin goes by one name, however it is asked for: installed, with ``-p batch_conformance.plugin``, by
``pytest_plugins`` or by the conftest.py of a vendored folder, and several of these at a time.
"""

from __future__ import annotations

import pytest

from batch_conformance import plugin

NAME = "batch_conformance.plugin"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the plugin, in time for its options."""
    if not pluginmanager.is_registered(plugin):
        pluginmanager.register(plugin, NAME)
