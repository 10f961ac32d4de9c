"""Realistic runs for the tests of reports; ``python -m tests.support.samples FOLDER`` writes their reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult, Subject
from batch_conformance.checks.verdict import ClauseResult, ClauseVerdict
from batch_conformance.contract import Side, load_contract
from batch_conformance.http import Exchange, Failure, Intent, Redactor, Request, Response

#: A made-up key that no output may show.
KEY = "sk-live-planted/7Qv+9x=Zk3LmN0pR"
SHELL = "${SYNC_API_KEY}"
TARGET = "https://batch.staging.example"

#: Hostile text that a target puts into everything it controls.
HOSTILE = (
    "<script>pwned=1</script><img src=x onerror=pwned=2>\x1b[2J\x1b[31mred\x07 \x9b0m"
    " | a | `b` ```c``` **d** [e](javascript:pwned=3) @everyone #1 $x^2$ :tada:\r\n"
    "::error title=owned::by the target\n##[error]owned\n::set-output name=a::b\n"
    "\u202eesrever\u202c \u200bzero\ufeff \ud800 lone </pre></details></script><!-- &lt;&#60; %0A::warning::x"
)


def batch(**changes: object) -> bytes:
    """Return a batch as JSON bytes, with some members changed."""
    value: dict[str, object] = {
        "id": "batch_abc123",
        "created_at": "2024-01-15T10:30:00Z",
        "status": "COMPLETED",
        "metrics": {"total_generations": 5, "success_count": 4, "failed_count": 1, "pending_count": 0},
        "outputUrl": "https://api.sync.so/v2/batches/batch_abc123/result",
        "webhookUrl": None,
    }
    return json.dumps(value | changes, separators=(",", ":")).encode()


def exchange(
    status: int | None,
    body: bytes = b"",
    *,
    path: str = "/v2/batch/batch_abc123",
    key: str | None = KEY,
    method: str = "GET",
    label: str = "",
    headers: Sequence[tuple[str, str]] = (),
    failure: Failure | None = None,
    base: str = TARGET,
) -> Exchange:
    """Return one exchange with a server; ``status`` None means no response."""
    sent = [("host", "batch.staging.example"), ("accept", "application/json"), ("user-agent", "suite/1")]
    if key is not None:
        sent.append(("x-api-key", key))
    reason = {200: "OK", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error"}.get(status or 0, "")
    received = (("content-type", "application/json"), ("date", "Mon, 23 Nov 2026 18:20:04 GMT"), *headers)
    return Exchange(
        number=1,
        intent=Intent("sample", "batch_abc123", "known", "valid", label),
        request=Request(method, base + path, tuple(sent)),
        response=None if status is None else Response(status, received, body, reason),
        failure=failure,
    )


def run(
    side: Side,
    name: str,
    version: str,
    results: Mapping[str, tuple[ClauseVerdict, str, Iterable[Finding]]] | None = None,
    *,
    target: str = TARGET,
    error: str = "",
) -> RunResult:
    """Return a run in which all clauses passed, except those given with verdict, reason and findings."""
    given = results or {}
    made = []
    for index, clause in enumerate(load_contract().of_side(side)):
        verdict, reason, findings = given.get(clause.id, ("pass", "", ()))
        looked = 0 if verdict == "not-exercised" else 4 + index * 7 % 23
        made.append(ClauseResult(clause, verdict, reason, looked, tuple(findings)))
    return RunResult(
        subject=Subject(side, name, version, target),
        results=[] if error else made,
        started="2026-11-23T18:20:04Z",
        seconds=4.3127,
        requests=0 if error else 218,
        seed=20261123,
        error=error,
        redactor=Redactor({KEY: "[api-key]", KEY[:-1]: "[api-key without its last character]"}),
        shell_secrets={KEY: SHELL, KEY[:-1]: "${SYNC_API_KEY%?}"},
    )


def failing_server() -> RunResult:
    """Return a run against a server that breaks clauses of every theme, with each verdict at least once."""
    refused = b'{"message":"Invalid API key","statusCode":401}'
    stack = "Error: no such batch\n    at BatchStore.find (/srv/app/dist/store.js:118:15)\n    at task (node:95)"
    near = exchange(200, batch(), key=KEY[:-1], label="key without its last character")
    sums = batch(metrics={"total_generations": 5, "success_count": 4, "failed_count": 2, "pending_count": 0})
    reads = ("PROCESSING", "COMPLETED", "PROCESSING")
    return run(
        "server",
        "acme-batch",
        "1.4.2",
        {
            "server.body.created_at": (
                "fail",
                "",
                [
                    Finding(
                        "created_at has no offset",
                        "2024-01-15T10:30:00Z",
                        "2024-01-15T10:30:00",
                        exchange(200, batch(created_at="2024-01-15T10:30:00")),
                    ),
                    Finding(
                        "created_at has no offset",
                        "2024-01-15T11:00:00Z",
                        "2024-01-15T11:00:00",
                        exchange(
                            200,
                            batch(id="batch_def456", created_at="2024-01-15T11:00:00"),
                            path="/v2/batch/batch_def456",
                        ),
                    ),
                ],
            ),
            "server.body.metrics-sum": (
                "known-failure",
                "counts a retry twice; see https://github.com/acme/batch/issues/212, until 2027-01-31",
                [
                    Finding(
                        "the counts add up to more than the total",
                        "at most 5",
                        "4 + 2 + 0 = 6",
                        exchange(200, sums),
                    )
                ],
            ),
            "server.auth.near-key": (
                "fail",
                "",
                [
                    Finding("a key without its last character was accepted", "401", "200 OK", near),
                    *(
                        Finding(
                            f"a key with its last character turned into “{char}” was accepted",
                            "401",
                            "200 OK",
                            exchange(200, batch(), key=KEY[:-1] + char),
                        )
                        for char in "abcdefghijklmn"
                    ),
                ],
            ),
            "server.auth.challenge": (
                "warn",
                "",
                [
                    Finding(
                        "no WWW-Authenticate header",
                        "WWW-Authenticate",
                        "(absent)",
                        exchange(401, refused, key=None),
                    )
                ],
            ),
            "server.notfound.near-id": (
                "fail",
                "",
                [
                    Finding(
                        "another batch's id was answered with this batch",
                        "404 for batch_ABC123",
                        "200 for batch_ABC123",
                        exchange(200, batch(), path="/v2/batch/batch_ABC123", label="id in upper case"),
                    )
                ],
            ),
            "server.error.no-internals": (
                "warn",
                "",
                [
                    Finding(
                        "the message holds a stack trace",
                        "a message for callers",
                        stack,
                        exchange(
                            404,
                            json.dumps({"message": stack, "statusCode": 404}).encode(),
                            path="/v2/batch/none",
                        ),
                    )
                ],
            ),
            "server.poll.forward-only": (
                "fail",
                "",
                [
                    Finding(
                        "the status of batch_abc123 moved back between two reads",
                        "COMPLETED stays COMPLETED",
                        " → ".join(reads),
                        exchange(200, batch(status="PROCESSING")),
                    )
                ],
            ),
            "server.poll.counts-grow": ("not-exercised", "no known batch was seen underway", ()),
            "server.poll.webhook-stable": ("not-exercised", "no known batch was seen underway", ()),
            "server.rate.429": ("not-exercised", "the server never answered 429", ()),
            "server.error.documented-status": (
                "fail",
                "",
                [
                    Finding(
                        "no answer to an id of 4,096 characters",
                        "an error below 500",
                        "the connection was reset",
                        exchange(
                            None,
                            path="/v2/batch/" + "a" * 4096,
                            failure=Failure("reset", "connection reset by peer"),
                        ),
                    )
                ],
            ),
        },
    )


def passing_server() -> RunResult:
    """Return a run against a server that conforms."""
    return run("server", "sync-reference", "0.1.0", target="http://127.0.0.1:41234")


def unreachable_server() -> RunResult:
    """Return a run that could not start."""
    return run("server", "", "", error=f"{TARGET} cannot be reached: connection refused")


def hostile_run(side: Side = "server") -> RunResult:
    """Return a run with each verdict, whose foreign texts are all hostile and contain the planted key."""
    text = f"{KEY} {HOSTILE} key {KEY} end"
    body = text.encode("utf-8", "surrogatepass") + b"\xff\xfe" + KEY.encode() + b"A" * 20_000
    proof = Exchange(
        number=1,
        intent=Intent("hostile", "x", "hostile", "valid", label=text),
        request=Request("GE<script>T", f"{TARGET}/v2/batch/{text}", (("x-api-key", KEY), (f"x-{text}", text)), body),
        response=Response(200, (("content-type", text), (text, KEY)), body, text),
        failure=Failure("truncated", text),
        notes=(text,),
    )
    proofs = [Finding(text, text, text, proof), Finding(text, text, text), Finding(text, "", "", proof)]
    verdicts: list[ClauseVerdict] = ["fail", "warn", "known-failure", "error", "not-exercised", "pass"]
    results = {
        clause.id: (verdicts[index % 6], text, proofs if index % 6 < 3 else ())
        for index, clause in enumerate(load_contract().of_side(side))
    }
    made = run(side, text, text, results, target=f"https://user:password@host/{text}")
    made.error = ""
    made.profile = text
    return made


def client_runs() -> list[RunResult]:
    """Return runs of two clients in several versions, for the matrix."""

    def broken(message: str, expected: str, actual: str) -> tuple[ClauseVerdict, str, list[Finding]]:
        return (
            "fail",
            "",
            [Finding(message, expected, actual, exchange(200, batch(), base="http://127.0.0.1:40123"))],
        )

    redirect = broken("the key went along to another origin", "no x-api-key", "x-api-key: [api-key]")
    optional = broken("webhookUrl null was turned into text", "null", '"None"')
    waits = broken("a retry did not wait for Retry-After", "at least 2 s", "0.5 s")
    encoding = broken("a slash in the id was not encoded", "/v2/batch/a%2Fb", "/v2/batch/a/b")
    kind = broken("a 429 was reported as another kind", "rate_limited, 429", "http, 429")
    drip: tuple[ClauseVerdict, str, list[Finding]] = ("error", "the driver could not be started again", [])
    absent: tuple[ClauseVerdict, str, list[Finding]] = ("not-exercised", "the client makes no retries", [])
    number = broken("a count beyond 2^31 arrived changed", "9007199254740991", "9007199254740992")
    history = {
        ("syncsdk", "0.2.0"): {
            "client.auth.redirect": redirect,
            "client.decode.optional": optional,
            "client.request.id-encoding": encoding,
            "client.error.429": kind,
        },
        ("syncsdk", "0.2.7"): {
            "client.auth.redirect": redirect,
            "client.request.id-encoding": encoding,
            "client.error.429": kind,
        },
        ("syncsdk", "0.3.0"): {
            "client.error.429": kind,
            "client.retry.waits": waits,
            "client.fault.drip": drip,
        },
        ("@sync.so/sdk", "0.2.3"): {"client.decode.counts": number, "client.retry.waits": absent},
        ("@sync.so/sdk", "0.3.0"): {"client.retry.waits": absent},
        ("curl", "8.5.0"): {"client.retry.waits": absent, "client.retry.bounded": absent},
    }
    return [run("client", name, version, results) for (name, version), results in history.items()]


def main(folder: Path) -> None:
    """Write the reports of all samples below ``folder``."""
    # Imported here: the samples themselves need no HTML.
    from batch_conformance.report.files import write_reports
    from batch_conformance.report.matrix import write_matrix

    for name, made in {
        "failing": failing_server(),
        "passing": passing_server(),
        "unreachable": unreachable_server(),
        "hostile": hostile_run(),
    }.items():
        write_reports(made, folder / name)
    published = folder / "published"
    for made in [failing_server(), passing_server(), *client_runs()]:
        subject = made.subject
        write_reports(made, published / subject.side / f"{subject.name.replace('/', '-')}-{subject.version}")
    write_matrix(published)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
