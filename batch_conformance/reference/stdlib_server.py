"""Serves the app with the standard library: raw header names, HTTP/1.0, chunked bodies, closed connections.

For mutants and legal variations whose differences an ASGI server would remove.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from batch_conformance.reference.server import Asked, ReferenceServer, segment_of


@dataclass(frozen=True)
class WireOptions:
    """How responses are written to the connection."""

    version: str = "HTTP/1.1"
    chunked: bool = False
    gzip: bool = False
    close: bool = False
    raw_names: bool = False


class _Handler(BaseHTTPRequestHandler):
    app: ReferenceServer
    manner: WireOptions

    def do_any(self) -> None:
        raw, _, query = self.path.encode("utf-8", "surrogateescape").partition(b"?")
        names = [(name if self.manner.raw_names else name.lower()) for name in self.headers]
        asked = Asked(
            method=self.command,
            path=raw,
            segment=segment_of(raw, "get"),
            query=query,
            headers=tuple(
                (name.encode("latin-1"), value.strip(" \t").encode("latin-1", "replace"))
                for name, value in zip(names, self.headers.values(), strict=True)
            ),
            client=(self.client_address[0], self.client_address[1]),
        )
        answer = self.app.answer(asked)
        content = answer.content()
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.media_type is not None:
            self.send_header("Content-Type", answer.media_type)
        if self.manner.gzip and "gzip" in (self.headers.get("accept-encoding") or ""):
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        if self.manner.close:
            self.send_header("Connection", "close")
            self.close_connection = True
        if self.manner.chunked and content:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            half = max(1, len(content) // 2)
            for chunk in (content[:half], content[half:]):
                if chunk:
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        # In HTTP/1.0, the end of the connection may mark the end of the body.
        if self.manner.version != "HTTP/1.0":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_any

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: a client may close the connection before the last byte is written."""


@contextmanager
def serving_plainly(app: ReferenceServer, manner: WireOptions) -> Iterator[str]:
    """Serve ``app`` in threads. Yields the base URL."""
    handler = type("Handler", (_Handler,), {"app": app, "manner": manner, "protocol_version": manner.version})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
