"""Stub server on a port of the loopback interface, with control over every byte it sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from types import TracebackType

from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.loop import on_loop, settle, start, stub_loop
from batch_conformance.client_runner.stub.records import ReceivedRequest, RequestLog, now
from batch_conformance.client_runner.stub.wire import RawRequest, RequestReader, WireResponse, script_of

#: Returns the response to a request. Called on the loop's thread, one request at a time.
Chooser = Callable[[RawRequest], StubResponse]

#: Ports of all stubs of this process, closed ones included, to recognise sockets that clients left open.
ports_used: set[int] = set()
#: The latest ports of stubs and refused ports, which no new one gets: more than a run needs, and few enough to leave
#: free ones.
_latest_ports: deque[int] = deque(maxlen=2048)
#: How many ports to try for one that is not among them.
_PORTS_TRIED = 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class StubServer:
    """One origin on a socket; ``choose`` gives its responses, until it is closed.

    With ``by_name`` it can be reached as ``localhost`` as well, also on IPv6 if there is any, since clients differ in
    which they try. ``turn`` is recorded with every request. Raises ``OSError`` when the port is taken.
    """

    def __init__(self, choose: Chooser, *, port: int = 0, by_name: bool = False) -> None:
        self.choose = choose
        self.turn = 0
        self.log = RequestLog()
        self._open = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = [_listen(socket.AF_INET, "127.0.0.1", port) if port else _on_new_port(_listen)]
        self.port: int = self._listeners[0].getsockname()[1]
        ports_used.add(self.port)
        if by_name:
            # There may be no IPv6.
            with contextlib.suppress(OSError):
                self._listeners.append(_listen(socket.AF_INET6, "::1", self.port))
        self.url = f"http://127.0.0.1:{self.port}"
        on_loop(self._begin)

    def __enter__(self) -> StubServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seen(self) -> list[ReceivedRequest]:
        """All requests so far, those included that were sent but not handled yet."""
        settle()
        return self.log.all()

    def close(self) -> None:
        """Stop listening and drop all connections; does not wait."""
        self._open = False
        on_loop(self._end)

    def _begin(self) -> None:
        for listener in self._listeners:
            if self._open:
                stub_loop().add_reader(listener, self._accept, listener)

    def _end(self) -> None:
        for listener in self._listeners:
            stub_loop().remove_reader(listener)
            listener.close()
        for task in list(self._tasks):
            task.cancel()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start(self._serve(connection, self.log.connected()), self._tasks, connection.close)

    async def _serve(self, connection: socket.socket, number: int) -> None:
        reader, reused, arrived = RequestReader(), False, 0.0
        try:
            while data := await stub_loop().sock_recv(connection, 65536):
                arrived = arrived or now()
                for request in reader.feed(data):
                    if not await self._answer(connection, request, number, reused, arrived):
                        return
                    reused, arrived = True, 0.0
        except OSError:
            pass  # the client closed the connection

    async def _answer(
        self, connection: socket.socket, request: RawRequest, number: int, reused: bool, arrived: float
    ) -> bool:
        """Respond to one request; return whether the connection stays open."""
        seen = ReceivedRequest(request, self.url, number, reused, self.turn, arrived)
        if request.problem:
            self.log.add(seen)
            return False
        seen.answer = self.choose(request)
        self.log.add(seen)
        script = script_of(seen.answer, request)
        await self._play(connection, script, seen)
        if script.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif script.ending == "hang":
            while await stub_loop().sock_recv(connection, 65536):
                pass
        return script.ending == "keep"

    async def _play(self, connection: socket.socket, script: WireResponse, seen: ReceivedRequest) -> None:
        if script.delay:
            await asyncio.sleep(script.delay)
        for position, data in enumerate(script.writes):
            if position and script.pause:
                await asyncio.sleep(script.pause)
            elif position:
                # Let the write go out before the next one, so that pieces arrive as pieces.
                await asyncio.sleep(0)
            seen.answered = now()
            await stub_loop().sock_sendall(connection, data)
        seen.answered = seen.answered or now()
        while script.endless:
            await asyncio.sleep(script.pause)
            await stub_loop().sock_sendall(connection, script.endless)


def _on_new_port(bound: Callable[[socket.AddressFamily, str, int], socket.socket]) -> socket.socket:
    """Return a socket on a port that was not used lately: a client may remember something about that origin."""
    taken = [bound(socket.AF_INET, "127.0.0.1", 0)]
    while taken[-1].getsockname()[1] in _latest_ports and len(taken) < _PORTS_TRIED:
        # The others stay bound meanwhile, so that none of them is given out again.
        taken.append(bound(socket.AF_INET, "127.0.0.1", 0))
    for other in taken[:-1]:
        other.close()
    _latest_ports.append(taken[-1].getsockname()[1])
    return taken[-1]


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.bind((host, port))
    return bound


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


class RefusedPort:
    """Origin that refuses every connection: its port is bound but not listening."""

    def __init__(self) -> None:
        self._socket = _on_new_port(_bind)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Release the port."""
        self._socket.close()
