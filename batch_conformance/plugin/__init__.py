"""The pytest plugin.

Every pytest run in an environment with the package loads this module. It imports nothing heavy, and does nothing
visible until a test of the suites is collected.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from batch_conformance.plugin.fixtures import assert_conforms, batch_stub
from batch_conformance.plugin.options import add_options, any_given

if TYPE_CHECKING:
    from collections.abc import Generator

    from batch_conformance.plugin.verdicts import Verdicts

#: Marks a test of the suites; the argument is the clause id.
MARKER = "batch_clause"
_VERDICTS = "batch-conformance-verdicts"
#: Whether the terminal summary was written; the closing lines follow it.
_SHOWN = pytest.StashKey[bool]()

#: Fixtures, which pytest finds in this module.
__all__ = ["assert_conforms", "batch_stub"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ``--batch-…`` options and their ini settings."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With ``--batch-help``, list all options and run nothing."""
    if not config.getoption("batch_help", False):
        return None
    import shutil

    from batch_conformance.plugin.options import help_lines

    print("\n".join(help_lines(min(100, shutil.get_terminal_size().columns))))
    return 0


def _runs_suites(config: pytest.Config) -> bool:
    """Whether an argument names suites of this checkout, vendored folder or installed package."""
    package = Path(__file__).resolve().parent.parent
    suites = (package / "suites", package.parent / "suites")

    def names_suites(argument: str) -> bool:
        named = Path(argument.partition("::")[0]).resolve()
        # With --pyargs, arguments are modules.
        return argument.startswith(f"{package.name}.suites") or any(named.is_relative_to(one) for one in suites)

    return any(map(names_suites, config.args))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, apply overlays, and check the options on the command line."""
    config.addinivalue_line(
        "markers", f"{MARKER}(clause, subject=None): the clause of the Batch API contract that a test settles"
    )
    has_overlays = config.getoption("batch_overlay", None) is not None or config.getini("batch_overlay")
    if has_overlays or _runs_suites(config):
        from batch_conformance.plugin.overlays import apply_overlays

        apply_overlays(config)
    if any_given(config):
        from batch_conformance.contract.document import ContractError
        from batch_conformance.plugin.sharing import is_worker

        try:
            if not is_worker(config):
                verdicts_of(config).check_usage()
        except ContractError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Exempt the tests of the suites from warning filters and from timeouts of pytest-timeout."""
    has_timeouts = config.pluginmanager.hasplugin("timeout")
    for item in items:
        if item.get_closest_marker(MARKER) is None:
            continue
        # A warning of a client must not fail a clause where the repository turns warnings into errors.
        item.add_marker(pytest.mark.filterwarnings("default"))
        if has_timeouts:
            # The first test makes the whole run, which has its own time limits.
            item.add_marker(pytest.mark.timeout(0))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Record the selected clauses, after all plugins have deselected tests."""
    config = session.config
    ours = [(item, mark) for item in session.items for mark in item.iter_markers(MARKER)]
    if ours:
        verdicts_of(config).select(session, ours)
    elif session.items and any_given(config) and not config.option.collectonly:
        from batch_conformance.plugin.sharing import typed_options
        from batch_conformance.plugin.usage import unused_options_problem

        problem = unused_options_problem(typed_options(config), ())
        if problem:
            verdicts_of(config).refuse(session, problem)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Pass the shared folder to an xdist worker (called in the controller, for each worker)."""
    from batch_conformance.plugin.sharing import share_with_worker

    share_with_worker(node)


@pytest.fixture
def batch_settle(request: pytest.FixtureRequest) -> object:
    """Function that passes, fails, xfails or skips the test by the verdict on a clause."""
    from batch_conformance.plugin.items import settle_item
    from batch_conformance.plugin.subjects import kind_of

    def settle(clause: str) -> None:
        kind = kind_of(clause, request.node.get_closest_marker(MARKER))
        verdicts = verdicts_of(request.config)
        settle_item(request.node, verdicts.clause(kind, clause), verdicts.place)

    return settle


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shorten a broken clause in pytest's failure section: the report at the end shows it in full."""
    report = yield
    if call.excinfo is not None and item.get_closest_marker(MARKER):
        from batch_conformance.plugin.items import shorten

        shorten(report, call)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """With ``--batch-plan``, print the plan and run nothing."""
    config = session.config
    if not config.getoption("batch_plan", None) or not config.pluginmanager.hasplugin(_VERDICTS):
        return None
    from batch_conformance.plugin.planning import plan_lines

    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for line in plan_lines(verdicts_of(config)):
        if reporter is not None:
            reporter.write_line(line)
    return True


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports and set the exit status."""
    from batch_conformance.plugin.sharing import is_worker, selection, wrong_usage

    config = session.config
    idle = config.option.collectonly or config.getoption("batch_plan", None)
    if is_worker(config) or idle:
        return
    if config.pluginmanager.hasplugin(_VERDICTS) or selection(config) or wrong_usage(config):
        session.exitstatus = verdicts_of(config).finish(int(session.exitstatus))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the report on each subject."""
    if config.pluginmanager.hasplugin(_VERDICTS):
        from batch_conformance.plugin.terminal import show_verdicts

        show_verdicts(terminalreporter, verdicts_of(config))
        config.stash[_SHOWN] = True


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Show the verdict, after the output of all other plugins."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    verdicts = config.pluginmanager.get_plugin(_VERDICTS)
    if reporter is not None and verdicts is not None and config.stash.get(_SHOWN, False):
        from batch_conformance.plugin.terminal import show_closing

        show_closing(reporter, verdicts)


def verdicts_of(config: pytest.Config) -> Verdicts:
    """Return the verdicts of the run, created on first use."""
    from batch_conformance.plugin.verdicts import Verdicts

    known = config.pluginmanager.get_plugin(_VERDICTS)
    if known is None:
        known = Verdicts(config)
        config.pluginmanager.register(known, _VERDICTS)
    assert isinstance(known, Verdicts)
    return known
