"""Brings the plugin along where this folder is copied or subtree'd into another repository, not installed."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_OWN = _HERE / "batch_conformance"
#: The suites, each with the option that says whom to judge.
_SUITES = {"client": "batch_client", "server": "batch_target", "recorded": "batch_recorded"}


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the plugin, unless it is there already. An import made before decides whose it is."""
    # For the import alone: no folder here shall stand in the way of one of the same name elsewhere.
    sys.path.insert(0, str(_HERE))
    try:
        import batch_conformance.plugin
    finally:
        sys.path.remove(str(_HERE))
    if not pluginmanager.is_registered(batch_conformance.plugin):
        pluginmanager.register(batch_conformance.plugin, "batch_conformance.plugin")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to judge by a mixture of two versions: the tests of this folder, the code of another."""
    loaded = Path(str(sys.modules["batch_conformance"].__file__)).resolve().parent
    if loaded == _OWN or not _OWN.is_dir() or not any(_asked(config, suite) for suite in _SUITES):
        return
    if _content(loaded) != _content(_OWN):
        raise pytest.UsageError(
            f"two copies of sync-batch-conformance that differ: {_version(_OWN)} in {_HERE}, {_version(loaded)} in "
            f"{loaded.parent}; add -p no:batch_conformance to use the folder, or run the installed one with "
            "--pyargs batch_conformance.suites.client"
        )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the suites alone in a run over a whole repository that does not say whom they should judge."""
    if collection_path.parent.resolve() != _HERE / "suites":
        return None
    return None if _asked(config, collection_path.name) else True


def _asked(config: pytest.Config, suite: str) -> bool:
    if any(Path(argument.partition("::")[0]).resolve().is_relative_to(_HERE) for argument in config.args):
        return True
    option = _SUITES.get(suite)
    return bool(option and (config.getoption(option, None) or config.getini(option)))


def _content(package: Path) -> str:
    """A digest of the code and of the contract it judges by, wherever the contract is kept."""
    root = package if (package / "contracts").is_dir() else package.parent
    modules = (file for file in package.rglob("*.py") if file.relative_to(package).parts[0] != "suites")
    promises = (file for folder in ("contracts", "schemas") for file in (root / folder).glob("*.*"))
    digest = hashlib.sha256()
    for file in [*sorted(modules), *sorted(promises)]:
        place = file.relative_to(package if file.suffix == ".py" else root)
        digest.update(place.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(package: Path) -> str:
    found = re.search(r'__version__ = "(.+)"', (package / "__init__.py").read_text("utf-8"))
    return found[1] if found else "of unknown version"
