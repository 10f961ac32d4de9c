"""A client without hard-coded members: it reads whatever the current contract documents, and can be given one fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.session import judge_client
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.leaves import Leaves
from batch_conformance.mutants.client.base import Faulty, adapter_of
from batch_conformance.reference.client import BatchError

Change = Callable[[dict[str, Any]], Any]


def generic_client(change: Change | None = None, refuses: Change | None = None) -> Any:
    """Return an adapter that reports every documented member.

    ``change`` is applied to each batch; ``refuses`` returns whether the client rejects a batch.
    """
    entity = entity_of("get")
    leaves = Leaves(entity.schema, entity.document, entity.lifecycle_pointer, entity.echo)

    class Generic(Faulty):
        def batch(self, value: Any) -> Any:
            if not isinstance(value, dict):
                raise BatchError("decode", "no object")
            for one in entity.judge.violations(value):
                if one.code in ("required", "type") or not isinstance(entity.value_at(value, one.pointer), str):
                    raise BatchError("decode", f"{one.code} at {one.pointer}")
            if refuses is not None and refuses(value):
                raise BatchError("decode", "not what this client knows")
            return self.known(value)

        def known(self, value: dict[str, Any]) -> dict[str, Any]:
            pointers = {leaf.pointer for leaf in leaves.of(value)}
            whole = {leaf.pointer for leaf in leaves.of(value) if leaf.kind == "any"}

            def kept(inner: Any, pointer: str) -> Any:
                if pointer in whole:
                    return inner
                if isinstance(inner, dict):
                    return {
                        name: kept(item, f"{pointer}/{name}")
                        for name, item in inner.items()
                        if f"{pointer}/{name}" in pointers
                    }
                if isinstance(inner, list):
                    return [kept(item, f"{pointer}/{at}") for at, item in enumerate(inner)]
                return inner

            return dict(kept(value, ""))

        def as_reply(self, batch: Any) -> dict[str, Any]:
            return dict(batch if change is None else change(batch))

    return adapter_of(Generic, "generic")


def judged(adapter: Any, themes: tuple[str, ...] = ("decode", "reject.wrong-types"), **options: Any) -> RunResult:
    """Run a client against the clauses of these themes."""
    from batch_conformance.contract import load_contract

    clauses = {clause.id for clause in load_contract().of_side("client")}
    selected = {one for one in clauses if one.removeprefix("client.").startswith(themes)}
    client = InProcessClient(adapter, spec="embedded", size=5)
    try:
        return judge_client(client, strict=True, selected=selected, **{"profile": "quick"} | options)
    finally:
        client.close()


def red(run: RunResult) -> dict[str, list[tuple[str, str]]]:
    """Return the broken clauses, each with the codes and pointers of its findings."""
    return {
        result.clause.id: [(finding.code, finding.pointer) for finding in result.findings]
        for result in run.results
        if result.verdict in ("fail", "warn", "error")
    }
