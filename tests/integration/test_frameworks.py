"""Servers written with two common frameworks in the ordinary way cause no false alarms."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import flask
import pytest
from aiohttp import web
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import Target

KEY = "sk-frameworks-0123456789abcdefXYZ"
BATCHES = {
    value: {
        "id": value,
        "created_at": "2024-01-15T10:30:00Z",
        "status": "COMPLETED",
        "metrics": {"total_generations": 5, "success_count": 4, "failed_count": 1, "pending_count": 0},
        "outputUrl": "https://files.example.com/r",
        "webhookUrl": None,
    }
    for value in ("batch_abc123", "batch_def456")
}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def serving_flask() -> Iterator[str]:
    """Flask: the key in ``before_request``, errors as JSON."""
    app = flask.Flask("batches")

    @app.errorhandler(HTTPException)
    def on_error(error: HTTPException) -> flask.Response:
        answer = flask.jsonify(message=error.description, statusCode=error.code)
        answer.status_code = error.code or 500
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                answer.headers[name] = value
        if error.code == 401:
            answer.headers["WWW-Authenticate"] = "ApiKey"
        return answer

    @app.before_request
    def check_key() -> None:
        if flask.request.headers.get("x-api-key") != KEY:
            flask.abort(401)

    @app.get("/v2/batch/<batch_id>")
    def get_batch(batch_id: str) -> flask.Response:
        if batch_id not in BATCHES:
            flask.abort(404)
        return flask.jsonify(BATCHES[batch_id])

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@web.middleware
async def _check_key(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    try:
        if request.headers.get("x-api-key") != KEY:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "ApiKey"})
        answer: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        headers = {name: error.headers[name] for name in ("Allow", "WWW-Authenticate") if name in error.headers}
        body = {"message": error.reason, "statusCode": error.status}
        return web.json_response(body, status=error.status, headers=headers)
    return answer


async def _get_batch(request: web.Request) -> web.Response:
    batch = BATCHES.get(request.match_info["batch_id"])
    if batch is None:
        raise web.HTTPNotFound
    return web.json_response(batch)


@contextmanager
def serving_aiohttp() -> Iterator[str]:
    """aiohttp: the key in a middleware, errors as JSON."""
    loop = asyncio.new_event_loop()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application(middlewares=[_check_key])
        app.router.add_get("/v2/batch/{batch_id}", _get_batch)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("serving", [serving_flask, serving_aiohttp], ids=["flask", "aiohttp"])
def test_a_server_in_a_common_framework_conforms(serving: Callable[[], AbstractContextManager[str]]) -> None:
    """Written without regard to this suite."""
    with serving() as url:
        run = judge_server(Target("framework", url, KEY, batch_ids=tuple(BATCHES)), operations=("get",))
    broken = {
        result.clause.id: [finding.actual for finding in result.findings]
        for result in run.results
        if result.verdict in ("fail", "warn")
    }
    assert (run.error, broken) == ("", {})
