"""Detection of an environment that prevents a run: other pytest plugins, flags of Python."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from batch_conformance.plugin.options import Options
    from batch_conformance.plugin.subjects import Kind

#: Plugins that block connections, by module: the name, the flags, the alternative remedy.
_BLOCKERS = {
    "pytest_socket": ("pytest-socket", "--disable-socket, --allow-hosts", "or add --force-enable-socket"),
    "pytest_recording": ("pytest-recording", "--block-network", "or run this suite on its own"),
}


def obstacle(config: pytest.Config, kind: Kind, options: Options) -> str | None:
    """Return the reason why a subject cannot be tested in this process, in one line; None if it can."""
    if reason := unfit(config):
        return reason
    if kind == "recorded" or (kind == "client" and options.transport == "respx"):
        return None
    # A driver is a process of its own, in which connections are not blocked.
    return _blocked(connects=kind == "server" or not options.client.startswith("exec:"))


def unfit(config: pytest.Config) -> str | None:
    """Return the reason why no subject can be tested in this process, in one line; None if one can."""
    if sys.flags.optimize:
        return "Python runs without assertions (PYTHONOPTIMIZE or -O): unset it, since the tests need them"
    if config.getoption("forked", False):
        return (
            "pytest-forked runs each test in a process of its own (--forked), but all clauses share one run: "
            "remove --forked"
        )
    return None


def blocker(error: BaseException) -> str | None:
    """Return a line that names the plugin which blocked a connection with this error; None if none did."""
    found = {type(error).__module__.partition(".")[0]}
    trace = error.__traceback__
    while trace is not None:
        found.add(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    for module, (plugin, flags, remedy) in _BLOCKERS.items():
        if module in found:
            return f"{plugin} blocks the connections that this suite needs ({flags}): remove these options, {remedy}"
    return None


def _blocked(*, connects: bool) -> str | None:
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            if connects:
                socket.create_connection(listener.getsockname(), 5).close()
    except OSError:
        # Not raised by a plugin; the run meets the same error and reports it.
        return None
    except Exception as error:
        return blocker(error)
    return None
