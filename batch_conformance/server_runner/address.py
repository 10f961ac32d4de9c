"""Connect to a URL's host within a deadline, trying each of its addresses."""

from __future__ import annotations

import socket
import ssl
import threading
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from batch_conformance.server_runner.connection import ConnectionBroken, Deadline

_Address = tuple[Any, ...]


class Address:
    """The host and port of a target.

    The address that last connected is tried first, since others may never connect.
    """

    def __init__(self, url: str, ssl_context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = parts.scheme == "https"
        self._ssl_context = ssl_context
        self._addresses: list[_Address] = []

    def connect(self, deadline: Deadline) -> socket.socket:
        """Return a connected socket, with TLS for https. Raises :class:`ConnectionBroken`."""
        try:
            plain = self._connect_any(deadline)
        except TimeoutError:
            raise ConnectionBroken("timeout", f"no connection within {deadline.seconds:g} s") from None
        if not self._tls:
            return plain
        try:
            return self._wrap_tls(plain, deadline)
        except BaseException:
            plain.close()
            raise

    def _connect_any(self, deadline: Deadline) -> socket.socket:
        addresses = self._addresses or self._resolve(deadline)
        last_error: OSError | None = None
        for index, address in enumerate(addresses):
            try:
                connected = _open_socket(address, deadline.left() / (len(addresses) - index))
            except OSError as error:
                last_error = error
            else:
                self._addresses = [address, *(other for other in addresses if other != address)]
                return connected
        self._addresses = []
        if last_error is None or isinstance(last_error, TimeoutError):
            raise TimeoutError
        raise ConnectionBroken("refused", f"the connection failed: {last_error.strerror or last_error}") from None

    def _resolve(self, deadline: Deadline) -> list[_Address]:
        """Return all addresses of the host. ``getaddrinfo`` takes no timeout, so it runs in a thread."""
        found: Future[list[_Address]] = Future()

        def look_up() -> None:
            try:
                rows = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                found.set_result(
                    [(family, socket_type, protocol, sockaddr) for family, socket_type, protocol, _, sockaddr in rows]
                )
            except (OSError, UnicodeError) as error:
                found.set_exception(error)

        threading.Thread(target=look_up, name="batch-look-up", daemon=True).start()
        try:
            return found.result(deadline.left())
        except (socket.gaierror, UnicodeError) as error:
            reason = error.strerror if isinstance(error, socket.gaierror) else str(error)
            raise ConnectionBroken("refused", f"the host {self._host!r} is not known: {reason}") from None

    def _wrap_tls(self, plain: socket.socket, deadline: Deadline) -> socket.socket:
        self._ssl_context = self._ssl_context or trusting_context()
        try:
            plain.settimeout(deadline.left())
            return self._ssl_context.wrap_socket(plain, server_hostname=self._host)
        except TimeoutError:
            raise ConnectionBroken("timeout", f"no TLS handshake within {deadline.seconds:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise ConnectionBroken(
                "tls", f"its TLS certificate is not valid: {error.verify_message} (--batch-ca FILE adds who signs it)"
            ) from None
        except ssl.SSLError as error:
            # What OpenSSL says of an answer that is no TLS.
            hint = " (is it plain HTTP? then http://…)" if error.reason == "WRONG_VERSION_NUMBER" else ""
            raise ConnectionBroken("tls", f"the TLS handshake failed: {error.reason or error}{hint}") from None
        except OSError as error:
            raise ConnectionBroken("tls", f"the TLS handshake broke: {error.strerror or error}") from None


def _open_socket(address: _Address, seconds: float) -> socket.socket:
    family, socket_type, protocol, sockaddr = address
    connection = socket.socket(family, socket_type, protocol)
    try:
        connection.settimeout(seconds)
        connection.connect(sockaddr)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def trusting_context() -> ssl.SSLContext:
    """Return a context that trusts the system's CAs (and ``SSL_CERT_FILE``), and certifi's if installed."""
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context
