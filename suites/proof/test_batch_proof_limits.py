"""What a green verdict did not see, and what a clause leaves to another: in the verdict and in every output."""

from __future__ import annotations

import pytest

from batch_conformance.contract import load_contract
from batch_conformance.judge.finding import Judgement
from batch_conformance.judge.verdict import ClauseResult, clause_result

CLAUSE = "server.auth.near-key"


def _weighed(judgement: Judgement) -> ClauseResult:
    return clause_result(load_contract().clauses[judgement.clause], judgement, strict=False)


def test_only_set_aside_is_not_exercised() -> None:
    """A clause whose every observation was set aside is not exercised, and says on whose account."""
    judgement = Judgement(CLAUSE)
    judgement.set_aside("server.auth.invalid-key")
    judgement.set_aside("server.auth.invalid-key", 2)
    judgement.set_aside("server.error.body")
    judgement.set_aside("server.error.media-type", 0)
    result = _weighed(judgement)
    assert (result.verdict, result.exchanges) == ("not-exercised", 0)
    assert result.reason == (
        "explained by server.auth.invalid-key: 3 observations, server.error.body: 1 observation"
    )
    assert result.limits == ()


def test_partly_set_aside_is_a_limit() -> None:
    """A pass on the rest says what it left to another clause."""
    judgement = Judgement(CLAUSE)
    judgement.look(4)
    judgement.set_aside("server.auth.invalid-key", 2)
    result = _weighed(judgement)
    assert (result.verdict, result.exchanges) == ("pass", 4)
    assert result.limits == ("explained by server.auth.invalid-key: 2 observations",)


def test_limits_belong_to_a_pass_alone() -> None:
    """Each limit counts once, in the order recorded; other verdicts have none."""
    judgement = Judgement(CLAUSE)
    for text in ("no COMPLETED batch was seen", "one batch only", "no COMPLETED batch was seen", ""):
        judgement.limit(text)
    assert _weighed(judgement).reason == "no COMPLETED batch was seen; one batch only"
    judgement.look()
    assert _weighed(judgement).limits == ("no COMPLETED batch was seen", "one batch only")
    judgement.blame(None, "broken", expected="a", actual="b")
    assert _weighed(judgement).limits == ()


@pytest.mark.parametrize("count", [0, -1])
def test_nothing_set_aside(count: int) -> None:
    """No observation set aside leaves no trace."""
    judgement = Judgement(CLAUSE)
    judgement.set_aside("server.auth.invalid-key", count)
    assert _weighed(judgement).reason == "nothing in this run put it to the test"
