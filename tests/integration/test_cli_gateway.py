"""Staging servers: custom certificates, extra headers for a gateway, tunnels on loopback addresses."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from batch_conformance.cli import main
from batch_conformance.http import Exchange, Intent, Request, Response
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.report.document import report_document
from batch_conformance.server_runner.gateway import context_of, extra_headers, tunnel_hints
from batch_conformance.server_runner.rate_limit import budget_hints
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import Target, UsageError, resolve_target
from tests.support.running import SERVER, run

TOKEN = "gw-planted-8Xk2/Lm+Zq9=Rt"


class Gateway(ReferenceServer):
    """Requires a token for every request; the API behind it has a fault."""

    def answer(self, asked: Asked) -> Answer:
        """Return 403 without the token."""
        if (b"x-gateway-token", TOKEN.encode()) not in asked.headers:
            return Answer(403, {"message": "no token", "statusCode": 403})
        return super().answer(asked)


class Faulty(Gateway):
    """Behind the gateway, the API accepts any key."""

    def authenticate(self, asked: Asked) -> bool:
        """Accept any key."""
        del asked
        return True


def project(folder: Path, url: str, headers: str = '{ "X-Gateway-Token" = "GATEWAY_TOKEN" }') -> None:
    """Write a pyproject.toml with a target that has extra headers."""
    (folder / "pyproject.toml").write_text(
        f'[tool.batch_conformance.targets.staging]\nurl = "{url}"\nheaders_env = {headers}\n', "utf-8"
    )


def test_headers_go_with_every_request_and_are_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports, trace and terminal name the variable; the finding can be replayed."""
    with serving_embedded(Faulty()) as url:
        project(tmp_path, url)
        ended = run(
            tmp_path, SERVER, "--batch-target=staging", "--batch-profile=quick", "-vv", "--batch-trace=all.har",
            "--junitxml=j.xml", SYNC_API_KEY=REFERENCE_KEY, GATEWAY_TOKEN=TOKEN,
        )  # fmt: skip
        assert ended.verdicts()["server.auth.missing-key"] == "fail", ended.text
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SYNC_API_KEY", REFERENCE_KEY)
        monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
        assert main(["replay", "reports/latest", "server.auth.missing-key"]) == 1
    replayed = capsys.readouterr().out
    assert "X-Gateway-Token: [value of GATEWAY_TOKEN]" in replayed
    written = [path.read_text("utf-8") for path in (tmp_path / "reports/latest").iterdir()]
    written += [
        (tmp_path / "all.har").read_text("utf-8"),
        (tmp_path / "j.xml").read_text("utf-8"),
        ended.text,
        replayed,
    ]
    assert [text for text in written if "planted" in text] == []
    entry = next(one for one in ended.report()["clauses"] if one["id"] == "server.auth.missing-key")
    assert "$GATEWAY_TOKEN" in entry["evidence"][0]["curl"]


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        ('{ "X-Api-Key" = "A" }', "headers_env cannot set the header 'X-Api-Key'"),
        ('{ "Host" = "A" }', "headers_env cannot set the header 'Host'"),
        ('{ "A b" = "A" }', "headers_env cannot set the header 'A b'"),
        (
            '{ "X-Token" = "UNSET_TOKEN" }',
            "no value for the header X-Token: set the environment variable UNSET_TOKEN",
        ),
        ('{ "X-Token" = 1 }', "field 'headers_env' is not a table of header names"),
        ('"X-Token"', "field 'headers_env' is not a table of header names"),
    ],
)
def test_wrong_headers_are_wrong_usage(headers: str, line: str, tmp_path: Path) -> None:
    """One line says what is wrong."""
    project(tmp_path, "http://127.0.0.1:9", headers)
    with pytest.raises(UsageError) as problem:
        resolve_target("staging", start=tmp_path, environ={"SYNC_API_KEY": "k-12345678", "A": "a"})
    assert line in str(problem.value)


@pytest.mark.parametrize("value", ["gw-By-Mistake-1", "gwByMistake1"])
def test_a_value_in_place_of_a_variable_is_not_repeated(value: str) -> None:
    """It may be a gateway's token, also if it could be a name."""
    with pytest.raises(UsageError, match="headers_env names the environment variable") as problem:
        extra_headers({"X-Token": value}, {}, "target")
    assert "Mistake" not in str(problem.value)


def test_values_that_no_header_may_have_are_refused() -> None:
    """A line break would start another header."""
    with pytest.raises(UsageError, match="characters no header can carry"):
        extra_headers({"X-Token": "T"}, {"T": "a\r\nX-Other: b"}, "target")


def test_a_key_that_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    """In the table of the target, or else by the option."""
    table = '[tool.batch_conformance.targets.staging]\nurl = "http://127.0.0.1:9"\napi_key_env = "STAGING_KEY"\n'
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    with pytest.raises(UsageError, match=r"STAGING_KEY \(named by api_key_env of target 'staging'\)"):
        resolve_target("staging", start=tmp_path, environ={})
    with pytest.raises(UsageError, match=r"OTHER \(named by --batch-api-key-env\)"):
        resolve_target("staging", start=tmp_path, api_key_env="OTHER", environ={})


def test_custom_certificates(tmp_path: Path) -> None:
    """Trusted in addition to the system's; invalid files give one line."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    loaded = {
        tuple(row["serialNumber"]) for row in context_of(tmp_path / "ca.pem").get_ca_certs() if "serialNumber" in row
    }
    default = {
        tuple(row["serialNumber"]) for row in ssl.create_default_context().get_ca_certs() if "serialNumber" in row
    }
    assert loaded > default
    (tmp_path / "bad.pem").write_text("no certificate", "utf-8")
    for name, line in {
        "none.pem": "there is no file .*none.pem",
        "bad.pem": "bad.pem holds no certificates in PEM",
    }.items():
        with pytest.raises(UsageError, match=line):
            context_of(tmp_path / name)
    ended = run(
        tmp_path,
        SERVER,
        "--batch-target=https://127.0.0.1:9",
        "--batch-ca=none.pem",
        SYNC_API_KEY="k-12345678",
    )
    assert ended.status == 4, ended.text
    assert "there is no file none.pem (--batch-ca)" in ended.text


def exchanges(headers: tuple[tuple[str, str], ...] = (), *, took: float = 0.001, status: int = 200) -> list[Exchange]:
    """Return twenty exchanges whose responses have these headers."""
    intent, request = Intent("reads", "b", "known", "valid"), Request("GET", "http://127.0.0.1/b", ())
    return [Exchange(n, intent, request, Response(status, headers), None, n, n + took) for n in range(20)]


def test_a_tunnel_is_recognised_by_proxy_headers_or_by_its_distance() -> None:
    """A server on this machine is not taken for a tunnel."""
    assert list(tunnel_hints(exchanges())) == []
    assert list(tunnel_hints([])) == []
    for recorded, why in (
        (exchanges((("Via", "1.1 edge"),)), "the header via"),
        (exchanges((("CF-Ray", "1"),)), "the header cf-ray"),
        (exchanges(took=0.08), "80 ms"),
        (exchanges(status=429), "it answers 429"),
    ):
        (hint,) = tunnel_hints(recorded)
        assert why in hint
        assert "--batch-rate 8/s" in hint


def test_the_budget_of_a_limiter_is_shown() -> None:
    """The number of 429s, the limit it states, and a rate that would avoid them."""
    served, refused = exchanges((("RateLimit-Limit", "10"),)), exchanges(status=429)
    assert list(budget_hints(served)) == list(budget_hints(refused)) == []
    (hint,) = budget_hints([*served, *refused[:3]])
    assert hint == (
        "told to wait 3 times by 429 (it states ratelimit-limit: 10); 20 answers came in 19 s: "
        "with --batch-rate 1/s it need not wait"
    )
    staged = [replace(row, intent=replace(row.intent, staged=429)) for row in refused]
    assert list(budget_hints([*served, *staged])) == []


def test_the_hint_is_in_the_report_and_changes_no_verdict() -> None:
    """It is only for loopback targets without a rate."""

    class Edge(ReferenceServer):
        def answer(self, asked: Asked) -> Answer:
            answer = super().answer(asked)
            answer.headers.append(("Via", "1.1 edge"))
            return answer

    for app, rate, hints in ((ReferenceServer(), None, 0), (Edge(), None, 1), (Edge(), 500.0, 0)):
        with serving_embedded(app) as url:
            target = Target("t", url, REFERENCE_KEY, batch_ids=("batch_abc123",), rate=rate)
            result = judge_server(target, profile="quick", selected=["server.ok.status"])
        assert len(report_document(result)["run"].get("hints", [])) == hints
        assert result.verdict == "partial"
