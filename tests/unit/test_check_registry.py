"""Running the checks of a side, and the codes of their findings."""

from __future__ import annotations

import pytest

from batch_conformance.checks.finding import CheckRegistry, CheckResult


def test_a_registry_runs_each_check_once_in_order() -> None:
    """Checks that explain others run first; a result of an undeclared clause cannot be requested."""
    registry: CheckRegistry[list[str]] = CheckRegistry()

    @registry.check("client.a", explained_by=["client.b"])
    def a(material: list[str], result: CheckResult) -> None:
        material.append("a")
        if result.failed("client.b"):
            result.set_aside("client.b")
        with pytest.raises(KeyError):
            result.failed("client.c")

    @registry.check("client.b")
    def b(material: list[str], result: CheckResult) -> None:
        material.append("b")
        result.observe()
        result.fail(None, "broken", expected="x", actual="y", code="status")

    done: list[str] = []
    results = registry.judge(done, ["client.a", "client.b"])
    assert done == ["b", "a"]
    assert list(results) == ["client.a", "client.b"]
    assert results["client.a"].explained == {"client.b": 1}
    assert a is not b


def test_a_finding_has_a_known_code() -> None:
    """A code is from the table, a JSON Schema keyword, or a rule."""
    result = CheckResult("server.body.id")
    for code in ("status", "required", "metrics-sum"):
        result.fail(None, "m", expected="e", actual="a", code=code)
    for code in ("", "sttus"):
        with pytest.raises(ValueError, match="no code of a finding"):
            result.fail(None, "m", expected="e", actual="a", code=code)
