"""Registers the plugin where this folder is copied into another repository and the package is not installed."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_OWN = _HERE / "batch_conformance"
#: The suites, each with the option that names its subject.
_SUITES = {"client": "batch_client", "server": "batch_target", "recorded": "batch_recorded"}


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the plugin, unless it is registered. If the package was imported before, that copy is used."""
    # For this import only: folders here must not shadow modules of the same name elsewhere.
    sys.path.insert(0, str(_HERE))
    try:
        import batch_conformance.plugin
    finally:
        sys.path.remove(str(_HERE))
    if not pluginmanager.is_registered(batch_conformance.plugin):
        pluginmanager.register(batch_conformance.plugin, "batch_conformance.plugin")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a run with xdist whose controller did not load this file, and one with two versions of the suite: the
    tests of this folder and the code of another copy. Raises ``pytest.UsageError``.
    """
    from batch_conformance.plugin.sharing import is_worker, shared_folder

    if not any(_selected(config, suite) for suite in _SUITES):
        return
    if is_worker(config):
        shared_folder(config)
    loaded = Path(str(sys.modules["batch_conformance"].__file__)).resolve().parent
    if loaded != _OWN and _OWN.is_dir() and _content(loaded) != _content(_OWN):
        raise pytest.UsageError(
            f"two copies of sync-batch-conformance that differ: {_version(_OWN)} in {_HERE}, {_version(loaded)} in "
            f"{loaded.parent}; add -p no:batch_conformance to use the folder, or run the installed one with "
            "--pyargs batch_conformance.suites.client"
        )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore this folder in a run over a whole repository, except for suites whose subject is named by an option."""
    place = collection_path.resolve()
    if place.parent == _HERE and place.name != "suites":
        return None if _named(config) else True
    if place.parent == _HERE / "suites":
        return None if _selected(config, place.name) else True
    return None


def _named(config: pytest.Config) -> bool:
    """Whether this folder, or a path in it, is a command-line argument."""
    arguments = (Path(argument.partition("::")[0]) for argument in config.args)
    return any(argument.resolve().is_relative_to(_HERE) for argument in arguments)


def _selected(config: pytest.Config, suite: str) -> bool:
    option = _SUITES.get(suite)
    return _named(config) or bool(option and (config.getoption(option, None) or config.getini(option)))


def _content(package: Path) -> str:
    """Return a digest of the code and of its contract, for a checkout or a wheel."""
    root = package if (package / "contracts").is_dir() else package.parent
    # Suites and the template driver are in other places in a wheel than in a folder.
    copied = ("suites", "drivers")
    modules = (file for file in package.rglob("*.py") if file.relative_to(package).parts[0] not in copied)
    promises = (file for folder in ("contracts", "schemas") for file in (root / folder).glob("*.*"))
    digest = hashlib.sha256()
    for file in [*sorted(modules), *sorted(promises)]:
        place = file.relative_to(package if file.suffix == ".py" else root)
        digest.update(place.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(package: Path) -> str:
    found = re.search(r'__version__ = "(.+)"', (package / "__init__.py").read_text("utf-8"))
    return found[1] if found else "of unknown version"
