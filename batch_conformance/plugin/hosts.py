"""What surrounds the suite and keeps it from judging: other plugins, and how Python itself was started."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from batch_conformance.plugin.options import Options
    from batch_conformance.plugin.subjects import Kind

#: Modules of plugins that block connections: the plugin's name, its flags, and what else helps.
_BLOCKERS = {
    "pytest_socket": ("pytest-socket", "--disable-socket, --allow-hosts", "or add --force-enable-socket"),
    "pytest_recording": ("pytest-recording", "--block-network", "or run this suite on its own"),
}


def obstacle(config: pytest.Config, kind: Kind, options: Options) -> str | None:
    """Why a subject cannot be judged here, in one line; None if nothing is in the way."""
    if reason := unfit(config):
        return reason
    if kind == "recorded" or (kind == "client" and options.transport == "respx"):
        return None
    # A driver is a process of its own: what is blocked here is not blocked there.
    return _blocked(connects=kind == "server" or not options.client.startswith("exec:"))


def unfit(config: pytest.Config) -> str | None:
    """Why nothing at all can be judged by this process, in one line; None if it can."""
    if sys.flags.optimize:
        return (
            "Python runs without assertions (PYTHONOPTIMIZE or -O): unset it, tests mean nothing without them"
        )
    if config.getoption("forked", False):
        return (
            "pytest-forked runs each test in a process of its own (--forked), and one run settles all clauses: "
            "leave --forked out"
        )
    return None


def blocker(error: BaseException) -> str | None:
    """The line that names the plugin which raised an error in place of a connection; None if none did."""
    found = {type(error).__module__.partition(".")[0]}
    trace = error.__traceback__
    while trace is not None:
        found.add(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    for module, (plugin, flags, remedy) in _BLOCKERS.items():
        if module in found:
            return f"{plugin} blocks the connections that this suite is about ({flags}): leave them out, {remedy}"
    return None


def _blocked(*, connects: bool) -> str | None:
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            if connects:
                socket.create_connection(listener.getsockname(), 5).close()
    except OSError:
        # No plugin's doing; it will be met again, and told with its place.
        return None
    except Exception as error:
        return blocker(error)
    return None
