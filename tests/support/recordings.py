"""Recordings for the tests of recorded traffic: one exchange, written in every format."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

BATCH: dict[str, Any] = {
    "id": "batch_abc123",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "metrics": {"total_generations": 5, "success_count": 4, "failed_count": 1, "pending_count": 0},
    "outputUrl": "https://api.sync.so/v2/batches/batch_abc123/result",
    "webhookUrl": None,
}
NOT_FOUND = {"message": "Batch not found", "statusCode": 404}
JSON_TYPE = {"Content-Type": "application/json"}
KEY = "sk-live-planted/7Qv+9x=Zk3"


def batch(**changes: object) -> dict[str, Any]:
    """Return the example batch, changed as given."""
    return BATCH | changes


def without(*names: str) -> dict[str, Any]:
    """Return the example batch without some members."""
    return {name: value for name, value in BATCH.items() if name not in names}


@dataclass(frozen=True)
class RecordedExchange:
    """One exchange to record. ``body`` is JSON, or text that is used unchanged."""

    body: Any = field(default_factory=lambda: BATCH)
    status: int = 200
    path: str = "/v2/batch/batch_abc123"
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_TYPE)
    sent: Mapping[str, str] = field(default_factory=lambda: {"x-api-key": KEY})
    method: str = "GET"
    at: str = "2024-01-15T10:30:00.000Z"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    @property
    def url(self) -> str:
        """The URL of the request."""
        return "https://api.sync.so" + self.path


#: Writes exchanges as the text of a file; functions with a suffix write variants of a format.
Writer = Callable[[list[RecordedExchange]], str]


def _har_entry(exchange: RecordedExchange, content: Mapping[str, Any]) -> dict[str, Any]:
    def named(headers: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in headers.items()]

    return {
        "startedDateTime": exchange.at,
        "time": 50,
        "request": {"method": exchange.method, "url": exchange.url, "headers": named(exchange.sent), "queryString": []},
        "response": {
            "status": exchange.status,
            "statusText": "",
            "headers": named(exchange.headers),
            "content": {"size": len(exchange.text), "mimeType": "application/json", **content},
        },
    }


def har(exchanges: list[RecordedExchange]) -> str:
    """Write HAR 1.2."""
    entries = [_har_entry(row, {"text": row.text}) for row in exchanges]
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})


def har_in_base64(exchanges: list[RecordedExchange]) -> str:
    """Write HAR with bodies in base64, as browsers do for binary ones."""
    entries = [
        _har_entry(row, {"text": base64.b64encode(row.text.encode()).decode(), "encoding": "base64"})
        for row in exchanges
    ]
    return json.dumps({"log": {"entries": entries}})


def _interaction(exchange: RecordedExchange, body: Any, **more: Any) -> dict[str, Any]:
    return {
        "request": {
            "method": exchange.method,
            "uri": exchange.url,
            "body": None,
            "headers": {name: [value] for name, value in exchange.sent.items()},
        },
        "response": {
            "status": {"code": exchange.status, "message": "OK"},
            "headers": {name: [value] for name, value in exchange.headers.items()},
            "body": body,
        },
        **more,
    }


def vcrpy(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of vcrpy."""
    rows = [_interaction(row, {"string": row.text}) for row in exchanges]
    return yaml.safe_dump({"interactions": rows, "version": 1})


def vcrpy_as_json(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of vcrpy with its JSON serializer."""
    return json.dumps({"interactions": [_interaction(row, {"string": row.text}) for row in exchanges], "version": 1})


def vcrpy_compressed(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of vcrpy with compressed bodies."""
    rows = [_interaction(row, {"string": gzip.compress(row.text.encode(), mtime=0)}) for row in exchanges]
    return yaml.safe_dump({"interactions": rows, "version": 1})


def ruby_vcr(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of Ruby's VCR, with Ruby's tags and one binary body."""
    rows = []
    for number, row in enumerate(exchanges):
        body = json.dumps(row.text) if number else "!binary |-\n        " + base64.b64encode(row.text.encode()).decode()
        headers = "".join(f"\n      {name}:\n      - {json.dumps(value)}" for name, value in row.headers.items())
        sent = "".join(f"\n      {name}:\n      - {json.dumps(value)}" for name, value in row.sent.items())
        rows.append(
            f"- request:\n    method: {row.method.lower()}\n    uri: {row.url}\n"
            f"    body:\n      encoding: US-ASCII\n      string: ''\n    headers:{sent or ' {}'}\n"
            f"  response: !ruby/struct:VCR::Response\n    status:\n      code: {row.status}\n      message: OK\n"
            f"    headers:{headers or ' {}'}\n    body:\n      encoding: ASCII-8BIT\n      string: {body}\n"
            f"    http_version: !!null\n  recorded_at: Mon, 15 Jan 2024 10:30:00 GMT\n"
        )
    return "---\nhttp_interactions:\n" + "".join(rows) + "recorded_with: VCR 6.2.0\n"


def betamax(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of betamax."""
    rows = []
    for row in exchanges:
        body = {"encoding": "utf-8", "base64_string": base64.b64encode(row.text.encode()).decode()}
        rows.append(_interaction(row, body, recorded_at="2024-01-15T10:30:00"))
    return json.dumps({"http_interactions": rows, "recorded_with": "betamax/0.9.0"})


def go_vcr(exchanges: list[RecordedExchange]) -> str:
    """Write a cassette of go-vcr."""
    rows = []
    for row in exchanges:
        interaction = _interaction(row, row.text)
        interaction["response"] |= {"status": f"{row.status} OK", "code": row.status, "duration": "80ms"}
        interaction["request"]["url"] = interaction["request"].pop("uri")
        rows.append(interaction)
    return yaml.safe_dump({"version": 2, "interactions": rows})


def wiremock(exchanges: list[RecordedExchange]) -> str:
    """Write WireMock mappings with the body as JSON."""
    return _wiremock(
        exchanges, lambda row: {"jsonBody": row.body} if not isinstance(row.body, str) else {"body": row.body}
    )


def wiremock_in_text(exchanges: list[RecordedExchange]) -> str:
    """Write WireMock mappings with the body as text."""
    return _wiremock(exchanges, lambda row: {"body": row.text})


def wiremock_in_base64(exchanges: list[RecordedExchange]) -> str:
    """Write WireMock mappings with the body in base64."""
    return _wiremock(exchanges, lambda row: {"base64Body": base64.b64encode(row.text.encode()).decode()})


def _wiremock(exchanges: list[RecordedExchange], body: Callable[[RecordedExchange], dict[str, Any]]) -> str:
    mappings = [
        {
            "request": {
                "method": row.method,
                "urlPath": row.path,
                "headers": {name: {"equalTo": value} for name, value in row.sent.items()},
            },
            "response": {"status": row.status, "headers": dict(row.headers), **body(row)},
        }
        for row in exchanges
    ]
    return json.dumps({"mappings": mappings})


def nock(exchanges: list[RecordedExchange]) -> str:
    """Write a recording of nock."""
    rows = [
        {
            "scope": "https://api.sync.so:443",
            "method": row.method,
            "path": row.path,
            "body": "",
            "status": row.status,
            "response": row.body,
            "rawHeaders": [part for pair in row.headers.items() for part in pair],
            "reqheaders": dict(row.sent),
            "responseIsBinary": False,
        }
        for row in exchanges
    ]
    return json.dumps(rows)


def nock_compressed(exchanges: list[RecordedExchange]) -> str:
    """Write a recording of nock with compressed bodies."""
    rows = json.loads(nock(exchanges))
    for row, original in zip(rows, exchanges, strict=True):
        row["response"] = [gzip.compress(original.text.encode(), mtime=0).hex()]
    return json.dumps(rows)


def pact(exchanges: list[RecordedExchange]) -> str:
    """Write a Pact file."""
    interactions = [
        {
            "description": "a read",
            "request": {"method": row.method, "path": row.path, "headers": dict(row.sent)},
            "response": {"status": row.status, "headers": dict(row.headers), "body": row.body},
        }
        for row in exchanges
    ]
    return json.dumps({"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": interactions})


def plain_wrapper(exchanges: list[RecordedExchange]) -> str:
    """Write objects with a request and a response, as hand-written mocks have."""
    rows = {
        f"case {number}": {
            "request": {"method": row.method, "url": row.url, "headers": dict(row.sent)},
            "response": {"status": row.status, "headers": dict(row.headers), "body": row.body},
        }
        for number, row in enumerate(exchanges, 1)
    }
    return json.dumps(rows)


def answers(exchanges: list[RecordedExchange]) -> str:
    """Write responses alone, as Cypress fixtures do."""
    return json.dumps([{"statusCode": row.status, "headers": dict(row.headers), "body": row.body} for row in exchanges])


def bodies(exchanges: list[RecordedExchange]) -> str:
    """Write bodies alone, by name."""
    return json.dumps({f"body {number}": row.body for number, row in enumerate(exchanges, 1)})


def bodies_as_yaml(exchanges: list[RecordedExchange]) -> str:
    """Write bodies alone, in YAML with native dates."""
    return yaml.safe_dump([row.body for row in exchanges]).replace("'2024-01-15T10:30:00Z'", "2024-01-15T10:30:00Z")


#: By file name: the writer, and the place of the first exchange in the file.
FORMATS: Mapping[str, tuple[Writer, str]] = {
    "a.har": (har, "entry 1"),
    "base64.har": (har_in_base64, "entry 1"),
    "vcrpy.yaml": (vcrpy, "interaction 1"),
    "vcrpy.json": (vcrpy_as_json, "interaction 1"),
    "vcrpy-gzip.yaml": (vcrpy_compressed, "interaction 1"),
    "ruby.yml": (ruby_vcr, "interaction 1"),
    "betamax.json": (betamax, "interaction 1"),
    "go.yaml": (go_vcr, "interaction 1"),
    "wiremock.json": (wiremock, "mappings[0]"),
    "wiremock-text.json": (wiremock_in_text, "mappings[0]"),
    "wiremock-base64.json": (wiremock_in_base64, "mappings[0]"),
    "nock.json": (nock, "[0]"),
    "nock-gzip.json": (nock_compressed, "[0]"),
    "pact.json": (pact, "interactions[0]"),
    "wrapper.json": (plain_wrapper, "case 1"),
    "answers.json": (answers, "[0]"),
    "bodies.json": (bodies, "body 1"),
    "bodies.yaml": (bodies_as_yaml, "[0]"),
}

#: By clause: a recording that breaks it. The promise that members may be added cannot be broken by one.
RED: Mapping[str, list[RecordedExchange]] = {
    "server.ok.status": [RecordedExchange(status=201)],
    "server.list.array": [RecordedExchange(path="/v2/batch", body={"data": [BATCH]})],
    "server.list.once": [RecordedExchange(path="/v2/batch", body=[BATCH, BATCH])],
    "server.list.newest-first": [
        RecordedExchange(path="/v2/batch", body=[BATCH, batch(id="batch_newer", created_at="2030-01-15T10:30:00Z")])
    ],
    "server.ok.media-type": [RecordedExchange(headers={"Content-Type": "text/plain"})],
    "server.ok.json": [RecordedExchange(json.dumps(BATCH) + ";")],
    "server.ok.unique-names": [RecordedExchange(json.dumps(BATCH)[:-1] + ', "id": "batch_abc123"}')],
    "server.body.object": [RecordedExchange({"data": BATCH})],
    "server.body.id": [RecordedExchange(batch(id="batch_other"))],
    "server.body.created_at": [RecordedExchange(batch(created_at="2024-01-15"))],
    "server.body.status": [RecordedExchange(batch(status="DONE"))],
    "server.body.metrics": [RecordedExchange(without("metrics"))],
    "server.body.metrics-sum": [RecordedExchange(batch(metrics=BATCH["metrics"] | {"failed_count": 2}))],
    "server.body.completed-none-pending": [RecordedExchange(batch(metrics=BATCH["metrics"] | {"pending_count": 1}))],
    "server.body.completed-adds-up": [RecordedExchange(batch(metrics=BATCH["metrics"] | {"failed_count": 0}))],
    "server.body.outputUrl": [RecordedExchange(batch(outputUrl=None))],
    "server.body.webhookUrl": [RecordedExchange(batch(webhookUrl=False))],
    "server.auth.no-disclosure": [RecordedExchange({"message": "no", "statusCode": 401, "metrics": {}}, 401)],
    "server.auth.challenge": [RecordedExchange({"message": "no", "statusCode": 401}, 401)],
    "server.error.body": [RecordedExchange({"error": "nothing here"}, 404)],
    "server.error.status-agrees": [RecordedExchange({"message": "no", "statusCode": 400}, 404)],
    "server.error.media-type": [RecordedExchange(NOT_FOUND, 404, headers={"Content-Type": "text/html"})],
    "server.error.documented-status": [RecordedExchange({"message": "no", "statusCode": 403}, 403)],
    "server.error.no-internals": [
        RecordedExchange({"message": "Traceback (most recent call last)", "statusCode": 500}, 500),
    ],
    "server.poll.identity": [RecordedExchange(), RecordedExchange(batch(created_at="2024-01-15T10:30:01Z"))],
    "server.poll.forward-only": [
        RecordedExchange(batch(status="PROCESSING")),
        RecordedExchange(batch(status="PENDING")),
    ],
    "server.poll.final": [RecordedExchange(batch(status="FAILED")), RecordedExchange(batch(status="COMPLETED"))],
    "server.poll.counts-grow": [
        RecordedExchange(),
        RecordedExchange(batch(metrics=BATCH["metrics"] | {"success_count": 3})),
    ],
    "server.poll.webhook-stable": [RecordedExchange(), RecordedExchange(batch(webhookUrl="https://example.com"))],
    "server.rate.429": [RecordedExchange({"message": "slow down", "statusCode": 429}, 429)],
}
