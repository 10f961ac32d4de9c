"""``assert_conforms`` and recorded traffic under an edited contract, and where rules cannot be evaluated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from batch_conformance.recorded import recorded_needs
from batch_conformance.testing import assert_conforms
from tests.support.overlays import BATCH as SCHEMA
from tests.support.overlays import GET, update, using
from tests.support.recordings import BATCH, NOT_FOUND


def test_rules_without_their_runtime_are_no_pass() -> None:
    """A batch whose sums were not checked is an error that says what to install; an error body has no rules."""
    code = (
        "import sys\n"
        "sys.modules['cel_expr_python'] = None\n"
        "from batch_conformance.testing import assert_conforms\n"
        f"assert_conforms({NOT_FOUND!r})\n"
        f"assert_conforms({BATCH!r})\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.splitlines()[-1].endswith(
        "RuntimeMissing: rules (x-validations) need the CEL runtime: pip install cel-expr-python"
    )


def test_a_rule_that_cannot_be_evaluated_is_no_pass(tmp_path: Path) -> None:
    """It is neither kept nor broken."""
    rule = {"rule": "self.extra > 1", "message": "too few", "code": "few"}
    with using(tmp_path, update(SCHEMA, {"properties": {"extra": {}}, "x-validations": [rule]})):
        assert_conforms({**BATCH, "extra": 2})
        with pytest.raises(AssertionError, match=r"server\.rule\.few \(must\)"):
            assert_conforms({**BATCH, "extra": 1})
        with pytest.raises(AssertionError, match=r"cannot be judged: the rule .* cannot be evaluated"):
            assert_conforms({**BATCH, "extra": "two"})


def test_a_rule_between_two_reads_needs_their_order(tmp_path: Path) -> None:
    """One body does not tell it, so that it is neither kept nor broken."""
    rule = {"rule": "self.extra >= oldSelf.extra", "message": "fewer", "code": "no-fewer"}
    shown = {"properties": {"extra": {"type": "integer"}}, "required": ["extra"], "x-validations": [rule]}
    with using(tmp_path, update(SCHEMA, shown)):
        assert recorded_needs()["server.rule.no-fewer"] == {"body", "order"}
        assert_conforms({**BATCH, "extra": 1})


def test_a_documented_header_is_checked(tmp_path: Path) -> None:
    """In a whole response; a body alone does not tell it."""
    header = {"X-Took": {"required": True, "schema": {"type": "integer"}}}
    with using(tmp_path, update(f"{GET}.responses['200']", {"headers": header})):
        assert_conforms(BATCH)
        assert_conforms(httpx.Response(200, json=BATCH, headers={"X-Took": "5"}))
        for headers in ({}, {"X-Took": "long"}):
            with pytest.raises(AssertionError, match=r"server\.header\.x-took \(must\)"):
                assert_conforms(httpx.Response(200, json=BATCH, headers=headers))
