"""Has the same module name as a test in the other folder, which packages allow."""

from suites.helpers import OWN


def test_own() -> None:
    """The helper can be imported."""
    assert OWN == "the client's own"
