"""Progress display: text, frequency, and the line that it leaves behind."""

from __future__ import annotations

from io import StringIO
from typing import Any

from batch_conformance.plugin.progress import Progress, _InPlace
from batch_conformance.plugin.progress import progress_line as _line


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class _Capture:
    def global_and_fixture_disabled(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


class _Writer:
    """A terminal of one line, written as by pytest's writer."""

    fullwidth = 80

    def __init__(self, begun: str) -> None:
        self._file = StringIO()
        self._file.write(begun)
        self.width_of_current_line = len(begun)

    def flush(self) -> None:
        """Do nothing."""

    def screen(self) -> str:
        """Return the visible text: a backspace moves the cursor and erases nothing."""
        line: list[str] = []
        at = 0
        for letter in self._file.getvalue():
            if letter == "\b":
                at -= 1
                continue
            line[at : at + 1] = [letter]
            at += 1
        return "".join(line).rstrip()


def test_the_total_and_the_time_left_are_shown() -> None:
    """As soon as there is enough to estimate from."""
    lines: list[str] = []
    clock = _Clock()
    progress = Progress("server", lines.append, 10.0, clock)
    progress(1)
    progress.expect(240)
    clock.now += 9
    progress(30)
    clock.now += 1
    progress(40)
    progress(41)
    clock.now += 30
    progress(160)
    assert lines == ["server: 40 of 240 requests, about 50 s left", "server: 160 of 240 requests, about 20 s left"]
    assert progress.text(0, 0.0) == "server: 0 of 240 requests"
    assert progress.text(10, 100.0) == "server: 10 of 240 requests, about 38 min left"


def test_more_steps_than_expected_end_the_estimate() -> None:
    """Repeated requests and liveness checks are not planned."""
    progress = Progress("client", lambda _: None, 1.0, _Clock())
    assert progress.text(3, 9.0) == "client: 3 cases"
    progress.expect(2)
    assert progress.text(3, 9.0) == "client: 3 cases"


def test_nothing_is_overwritten() -> None:
    """The module's name stays, a shorter text erases a longer one, and the line ends as it was before."""
    writer = _Writer("suites/server/test_batch_server_auth.py ")
    place = _InPlace(writer, _Capture())
    place.show("server: 100 of 240 requests")
    assert writer.screen() == "suites/server/test_batch_server_auth.py  server: 100 of 240 requests"
    place.show("server: 1")
    assert writer.screen() == "suites/server/test_batch_server_auth.py  server: 1"
    place.show("x" * 200)
    assert len(writer.screen()) < writer.fullwidth
    place.show("")
    assert writer.screen() == "suites/server/test_batch_server_auth.py"
    assert writer._file.getvalue().count("\n") == writer._file.getvalue().count("\r") == 0


def test_a_quiet_run_shows_no_progress() -> None:
    """Nor one without a terminal reporter, as in an xdist worker."""

    class Config:
        class pluginmanager:
            @staticmethod
            def hasplugin(_: str) -> bool:
                return False

            @staticmethod
            def get_plugin(_: str) -> None:
                return None

    assert _line(Config(), "server") is None  # type: ignore[arg-type]
