"""``replay REPORT CLAUSE[#N]``: send the requests of one finding again, or serve its answers to a client."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from batch_conformance import __version__
from batch_conformance.cli import COULD_NOT_RUN, FAILED, PASSED, PROGRAM, Misuse
from batch_conformance.cli.diff import read_one
from batch_conformance.cli.explain import near_clauses
from batch_conformance.cli.parsing import add_overlays, parser_of
from batch_conformance.contract import current_contract, load_with_overlays, use_contract
from batch_conformance.http.text import cut, log_safe, visible
from batch_conformance.report.command import overlay_options
from batch_conformance.report.files import JSON_NAME
from batch_conformance.report.labels import Document, subject_name

_BODY = 2000
_OUTCOMES = {
    "same": (FAILED, "broken the same way"),
    "otherwise": (FAILED, "broken, but in another way than recorded"),
    "kept": (PASSED, "not broken this time"),
    "alike": (COULD_NOT_RUN, "answered with the status recorded; these requests alone cannot show whether it is fixed"),
    "gone": (COULD_NOT_RUN, "the batch is not in the list any more; run the suite again to test what is"),
    "unlike": (
        COULD_NOT_RUN,
        "not answered with the status recorded; these requests alone cannot show whether it is fixed",
    ),
}


def replay(arguments: Sequence[str]) -> int:
    """Send the requests of a finding again, or serve its answers. Status 1 if the clause is broken again."""
    parser = parser_of("replay", "Send the requests of a finding again, or serve its answers to a client again.")
    parser.add_argument("report", metavar="REPORT", type=Path, help="a conformance.json, or a folder of reports")
    parser.add_argument("clause", metavar="CLAUSE[#N]", help="the clause, and which piece of its evidence (default: 1)")

    def option(name: str, text: str, **kind: Any) -> None:
        parser.add_argument(f"--{name}", f"--batch-{name}", help=text, **kind)

    option("target", "another server than that of the report: a URL, a name, embedded", metavar="T")
    option("mutant", "embedded only: the mutant that was tested", metavar="NAME")
    option("api-key-env", "variable that holds the key (default: as recorded)", metavar="NAME")
    option("ca", "PEM file of certificates to trust", metavar="FILE", type=Path)
    option("allow-production", "allow the production server as target", action="store_true")
    option("timeout", "longest wait for an answer, in seconds", metavar="S", type=float, default=10.0)
    option("stage", "URL or command that stages states of the target", metavar="HOOK")
    add_overlays(parser, "an overlay of the contract that the run had")
    parser.add_argument("--port", type=int, default=0, help="for clients: the stub's port (default: any)")
    given = parser.parse_args(arguments)
    clause, _, number = given.clause.partition("#")
    use_contract(load_with_overlays(given.overlay))
    document = report_with(given.report, clause)
    _check_overlays(document)
    if clause not in current_contract().clauses:
        raise Misuse(f"the contract has no clause {clause!r}{near_clauses(clause)}")
    if number and not (number.isascii() and number.isdigit() and int(number)):
        raise Misuse(f"{given.clause!r}: write the number of a piece of evidence after #, from 1")
    evidence = _evidence(document, clause, int(number or 1))
    _head(document, clause, evidence)
    if document["subject"]["side"] == "client":
        from batch_conformance.cli.replay_client import hold_stub

        return hold_stub(evidence["replay"], given.port)
    return _to_server(document, clause, evidence, given)


def _check_overlays(document: Document) -> None:
    """Raise :class:`Misuse` unless as many overlays apply as in the run."""
    had = document["contract"].get("overlays", [])
    if len(had) == len(current_contract().overlays):
        if [overlay["sha256"] for overlay in had] != [overlay.sha256 for overlay in current_contract().overlays]:
            _say("note: these are not the overlays of the run, or they were edited since")
        return
    listed = ", ".join(f"{overlay['title']!r}" for overlay in had)
    options = " ".join(map(quote, overlay_options(document["run"].get("overlays") or ["FILE"] * len(had))))
    what = f"had the contract edited by {listed}: add {options}" if had else "had no overlay: leave out --overlay"
    raise Misuse(log_safe(f"replay: the run of this report {what}", lines=False))


def report_with(place: Path, clause: str) -> Document:
    """Return the newest report of a file or folder, preferably with evidence on a clause. Raises :class:`Misuse`."""
    if not place.is_dir():
        return read_one(place)
    side = clause.partition(".")[0]
    spots = [place, place / side, place / "recorded", place / "partial", place / side / "partial"]
    found = [read_one(spot) for spot in spots if (spot / JSON_NAME).is_file()]
    if not found:
        raise Misuse(f"there is no report in {place}")
    good = [document for document in found if _entry(document, clause).get("evidence")]
    return max(good or found, key=lambda document: str(document["run"]["started"]))


def _entry(document: Document, clause: str) -> Mapping[str, Any]:
    return next((entry for entry in document["clauses"] if entry["id"] == clause), {})


def _evidence(document: Document, clause: str, number: int) -> Mapping[str, Any]:
    entry = _entry(document, clause)
    if not entry:
        side = document["subject"]["side"]
        raise Misuse(f"this is a report of a {side}, which has no clause {clause}")
    evidence = entry["evidence"]
    if not evidence:
        broken = [one["id"] for one in document["clauses"] if one["evidence"]]
        hint = f"; there is some for {', '.join(broken[:5])}" if broken else ""
        raise Misuse(f"the report has no evidence on {clause} ({entry['verdict']}){hint}")
    if number > len(evidence):
        raise Misuse(f"the report has {len(evidence)} pieces of evidence on {clause}, not {number}")
    item: Mapping[str, Any] = evidence[number - 1]
    if not item.get("replay"):
        why = "no request was made" if not item["request"] else "the report does not hold its requests"
        raise Misuse(f"{clause}#{number} cannot be replayed: {why}")
    return item


def _head(document: Document, clause: str, evidence: Mapping[str, Any]) -> None:
    _say(f"{clause} in the report on {subject_name(document)} of {document['run']['started']}")
    made_by = str(document["suite"]["version"])
    if made_by != __version__:
        _say(f"  note      the report was made by version {_line(made_by)}, this is {__version__}, which may differ")
    _say(f"  found     {_line(evidence['message'])}")
    _say(f"  expected  {_line(evidence['expected'])}")
    _say(f"  actual    {_line(evidence['actual'])}")


def _to_server(document: Document, clause: str, evidence: Mapping[str, Any], given: Any) -> int:
    from batch_conformance.checks.result import CouldNotRun
    from batch_conformance.server_runner.replay import replay_requests
    from batch_conformance.server_runner.target import UsageError

    seed = int(document["run"]["seed"])
    try:
        with _target(document, evidence, given) as (target, secrets):
            if not given.timeout > 0:
                raise Misuse(f"--timeout {given.timeout:g} is not a number of seconds")
            done = replay_requests(target, clause, evidence, seed=seed, secrets=secrets, timeout=given.timeout)
    except UsageError as error:
        raise Misuse(str(error)) from None
    except CouldNotRun as error:
        print(f"{PROGRAM} replay: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = log_safe(str(error), lines=False)
        raise Misuse(f"{clause}: its requests cannot be reproduced ({cut(reason, 200)})") from None

    def safe(text: str) -> str:
        return log_safe(done.redactor.text(visible(done.redactor.text(text), lines=True)))

    for exchange in done.exchanges:
        _say("")
        note = f"   # {safe(exchange.intent.label)}" if exchange.intent.label else ""
        _say(f"> {cut(safe(f'{exchange.request.method} {exchange.request.url}'), _BODY)}{note}")
        for name, value in exchange.request.headers:
            _say(f"> {cut(safe(f'{name}: {value}'), 300)}")
        _say(f"< {safe(exchange.outcome())}")
        if exchange.response:
            for name, value in exchange.response.headers:
                _say(f"< {cut(safe(f'{name}: {value}'), 300)}")
            body = safe(exchange.response.body.decode("utf-8", "backslashreplace"))
            for line in cut(body, _BODY).splitlines():
                _say(f"< {line}")
    if all(exchange.response is None for exchange in done.exchanges) and not done.findings:
        print(f"{PROGRAM} replay: {safe(done.exchanges[-1].outcome())}", file=sys.stderr)
        return COULD_NOT_RUN
    status, words = _OUTCOMES[done.outcome]
    _say("")
    _say(f"{clause}: {words}.")
    if done.outcome == "otherwise":
        _say(f"  now: {cut(safe(done.findings[0].message), 300)}, actual {cut(safe(done.findings[0].actual), 300)}")
    return status


@contextmanager
def _target(document: Document, evidence: Mapping[str, Any], given: Any) -> Iterator[tuple[Any, dict[str, str]]]:
    """Return the target, and the values of the environment variables that the requests name."""
    from batch_conformance.server_runner.target import resolve_target

    named = sorted(set(_names(evidence["replay"])))
    spec = given.target or document["subject"]["target"]
    if spec == "embedded" or given.mutant:
        from batch_conformance.mutants import variants
        from batch_conformance.reference.server import ReferenceServer
        from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, REVOKED_KEY
        from batch_conformance.reference.target import embedded_target

        name = given.mutant or (None if given.target else document["run"].get("mutant"))
        known = variants("server", name) if name else {}
        if given.mutant and given.mutant not in known:
            from batch_conformance.cli import nearest

            raise Misuse(f"unknown mutant {given.mutant!r}{nearest(given.mutant, list(known))}")
        app = known[name].build() if name and name in known else ReferenceServer()
        secrets = {"OTHER_API_KEY": OTHER_KEY, "REVOKED_API_KEY": REVOKED_KEY, "SYNC_API_KEY": REFERENCE_KEY}
        with embedded_target(app) as target:
            yield target, secrets
        return
    first = evidence["replay"].get("api_key_env")
    target = resolve_target(
        spec,
        start=Path.cwd(),
        api_key_env=given.api_key_env or first,
        allow_production=given.allow_production,
        ca=given.ca,
        stage=given.stage,
    )
    secrets = {name: os.environ.get(name, "") for name in named}
    if given.api_key_env and first in secrets:
        secrets[first] = target.api_key
    missing = [name for name, value in secrets.items() if not value]
    if missing:
        raise Misuse(f"set the environment variable {missing[0]}: the requests contain its value")
    yield target, secrets


def _names(recipe: Any) -> Iterator[str]:
    """Yield the environment variables that a recipe names."""
    if isinstance(recipe, Mapping):
        if set(recipe) == {"env"} and isinstance(recipe["env"], str) and re.fullmatch(r"\w+", recipe["env"]):
            yield recipe["env"]
        for value in recipe.values():
            yield from _names(value)
    elif isinstance(recipe, list):
        for value in recipe:
            yield from _names(value)


def _line(text: str) -> str:
    return cut(log_safe(text, lines=False), 300)


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
