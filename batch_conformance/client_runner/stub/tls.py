"""TLS in front of a stub, for redirects from https; needs trustme to make certificates.

Each process makes a certificate authority of its own, for the loopback interface only, and deletes it at exit.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
import tempfile
from collections.abc import Mapping
from functools import cache
from types import TracebackType

from batch_conformance.client_runner.stub.loop import stub_loop

#: Environment variables for trusted authorities: OpenSSL (Python, Ruby, Go), requests, curl, Node.
_NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_START_SECONDS = 5.0


class Authority:
    """Certificate authority for the loopback interface. ``bundle`` is the file that clients have to trust."""

    def __init__(self) -> None:
        import trustme  # optional: only the https cases need it

        authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost", "::1").configure_cert(self.context)
        handle, self.bundle = tempfile.mkstemp(prefix="batch-authority-", suffix=".pem")
        with os.fdopen(handle, "wb") as file:
            file.write(authority.cert_pem.bytes())
        atexit.register(self._forget)

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that make most programs trust the authority."""
        return dict.fromkeys(_NAMES, self.bundle)

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.bundle)


@cache
def authority() -> Authority | None:
    """Return the authority of this process; None without trustme."""
    try:
        return Authority()
    except ImportError:
        return None


class TlsFront:
    """Port that terminates TLS and forwards all bytes to a stub's port, until it is closed."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context), stub_loop()
        )
        self._server = starting.result(_START_SECONDS)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> TlsFront:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stub_loop().call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        upstream_writer: asyncio.StreamWriter | None = None
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # the client or the stub closed the connection
        finally:
            self._tasks.discard(task)
            for end in (writer, upstream_writer):
                if end:
                    end.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
