"""The matrix: one column a report, versions side by side, changes marked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batch_conformance.report.comparison import Column, Comparison, change, read_columns, version_key
from batch_conformance.report.document import report_document
from batch_conformance.report.files import write_reports
from batch_conformance.report.matrix import main, write_matrix
from batch_conformance.report.matrix_html import render_matrix
from tests.support import samples


def clients() -> Comparison:
    """Return the reports of the sample clients, in the wrong order."""
    columns = [Column(report_document(run), f"c/{index}", "") for index, run in enumerate(samples.client_runs())]
    return Comparison.of("client", reversed(columns))


def published(folder: Path) -> Path:
    """Return a folder with reports of both sides."""
    for run in [samples.failing_server(), *samples.client_runs()]:
        place = f"{run.subject.side}/{run.subject.name.replace('/', '-')} {run.subject.version}"
        write_reports(run, folder / place)
    return folder


def test_versions_of_one_name_are_adjacent_from_old_to_new() -> None:
    """Changes between versions are visible."""
    assert [(column.name, column.version) for column in clients().columns] == [
        ("@sync.so/sdk", "0.2.3"),
        ("@sync.so/sdk", "0.3.0"),
        ("curl", "8.5.0"),
        ("syncsdk", "0.2.0"),
        ("syncsdk", "0.2.7"),
        ("syncsdk", "0.3.0"),
    ]


def test_versions_are_in_natural_order() -> None:
    """Numbers numerically, pre-releases before their release, and any text without an error."""
    ordered = ["nightly", "0.9", "0.10", "v1.0-rc1", "1.0-rc2", "1.0-rc10", "1.0", "1.0.1", "2024.11.3"]
    assert sorted(set(ordered), key=version_key) == ordered
    assert sorted(["9" * 5000, "١", "\x00", "1..2"], key=version_key)


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        ("pass", "pass", None),
        ("pass", "fail", "worse"),
        ("fail", "pass", "better"),
        ("warn", "fail", "worse"),
        ("fail", "known-failure", "other"),
        ("known-failure", "fail", "other"),
        ("warn", "known-failure", "other"),
        ("known-failure", "pass", "better"),
        ("pass", "known-failure", "worse"),
        ("pass", "not-exercised", "other"),
        ("fail", "error", "other"),
        ("fail", "not-exercised", "better"),
        (None, "fail", None),
        ("fail", None, None),
    ],
)
def test_a_change_is_for_the_better_or_the_worse(before: str | None, after: str | None, how: str | None) -> None:
    """A clause that the earlier report lacks has not changed."""
    assert change(before, after) == how


def test_what_each_version_changed() -> None:
    """Compared with the previous version of the same name."""
    steps = {(step.after.name, step.after.version): step for step in clients().steps()}
    assert steps.keys() == {("@sync.so/sdk", "0.3.0"), ("syncsdk", "0.2.7"), ("syncsdk", "0.3.0")}
    newest = steps["syncsdk", "0.3.0"]
    assert newest.before.version == "0.2.7"
    assert newest.of("better") == ["client.request.id-encoding", "client.auth.redirect"]
    assert newest.of("worse") == ["client.retry.waits", "client.fault.drip"]
    assert newest.of("other") == []


def test_two_reports_of_one_version_are_told_apart_and_not_compared() -> None:
    """They may be two adapters of one client."""
    document = report_document(samples.client_runs()[0])
    twins = Comparison.of("client", [Column(document, "client/sync", ""), Column(document, "client/async", "")])
    assert list(twins.steps()) == []
    page = render_matrix([twins])
    assert "<small>client/async</small>" in page
    assert "<small>client/sync</small>" in page


def test_an_older_contract_leaves_cells_empty_and_adds_its_own_rows() -> None:
    """Rows of both contracts are shown."""
    old = report_document(samples.client_runs()[0])
    old["clauses"] = [clause for clause in old["clauses"] if clause["id"] != "client.retry.waits"]
    old["clauses"][0] |= {"id": "client.request.gone", "title": "A promise of old"}
    old["contract"]["sha256"] = "0" * 64
    new = report_document(samples.client_runs()[1])
    comparison = Comparison.of("client", [Column(old, "a", ""), Column(new, "b", "")])
    assert list(comparison.clauses)[-1] == "client.request.gone"
    assert comparison.columns[0].verdict("client.retry.waits") is None
    page = render_matrix([comparison])
    assert "A promise of old" in page
    assert page.count("not in that report") >= 2
    assert "The reports are about different contracts" in page


def test_a_run_without_a_verdict_breaks_nothing() -> None:
    """Nothing in it was judged, so no clause counts as broken."""
    runs = samples.passing_server(), samples.unreachable_server()
    columns = [Column(report_document(run), f"s/{index}", "") for index, run in enumerate(runs)]
    page = render_matrix([Comparison.of("server", columns)])
    assert re.search(r"Broken somewhere\s*<b> 0</b>", page)


def test_the_page_is_built_from_the_folder_and_links_to_each_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One command builds it, and builds it again over its own result."""
    published(tmp_path)
    for _ in range(2):
        assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "index.html")] * 2
    page = (tmp_path / "index.html").read_text("utf-8")
    links = set(re.findall(r'href="([^"#:]+)#', page))
    assert len(links) == 7
    for link in links:
        assert (tmp_path / link.replace("%20", " ").replace("%40", "@")).is_file()
    assert page.index('id="client"') < page.index('id="server"')


def test_a_report_without_its_page_gets_no_link(tmp_path: Path) -> None:
    """Only existing pages are linked."""
    write_reports(samples.passing_server(), tmp_path / "a")
    (tmp_path / "a" / "conformance.html").unlink()
    assert [column.link for column in read_columns(tmp_path)] == [""]
    assert "conformance.html" not in write_matrix(tmp_path).read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        (None, "there is no conformance.json below"),
        ("{", "is not JSON"),
        ("{}", "is not a report of this suite"),
    ],
)
def test_what_cannot_be_built_gives_one_line_and_status_4(
    content: str | None, excerpt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No page is written."""
    if content is not None:
        (tmp_path / "conformance.json").write_text(content)
    assert main([str(tmp_path)]) == 4
    error = capsys.readouterr().err
    assert excerpt in error
    assert error.count("\n") == 1
    assert not (tmp_path / "index.html").exists()


def test_a_page_that_cannot_be_written_gives_one_line_and_status_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with its name is an example."""
    published(tmp_path)
    (tmp_path / "index.html").mkdir()
    assert main([str(tmp_path)]) == 4
    assert "cannot be written" in capsys.readouterr().err
