"""Called like a module of the other folder of tests, which packages allow."""

from suites.helpers import OWN


def test_own() -> None:
    """The helper is found."""
    assert OWN == "the client's own"
