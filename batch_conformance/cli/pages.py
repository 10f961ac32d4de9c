"""Generated pages of the documentation: ``python -m batch_conformance.cli.pages clauses|options``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from batch_conformance.contract import Clause, load_contract
from batch_conformance.plugin.options import OPTIONS

_DECISIONS = "../contracts/decisions.md"
#: Meanings of the words in sources. Decisions, RFCs and CWE numbers become links.
_LEGEND = (
    ("page", "the vendor's reference page of the operation"),
    ("docs", "the vendor's other public pages"),
    ("sdk", "types and behaviour of the published clients, `syncsdk` (PyPI) and `@sync.so/sdk` (npm)"),
    ("decision N", f"settled in [decisions]({_DECISIONS}), where sources disagree or are silent"),
    ("RFC N, s", "a section of an internet standard"),
    ("good practice", "no source but experience; CWE numbers name the weakness"),
)
_RFC = re.compile(r"RFC (\d+)((?:, \d+(?:\.\d+)*(?: and \d+(?:\.\d+)*)*)?)")


def source_links(source: str, anchors: dict[int, str]) -> str:
    """Return a clause's source as Markdown, with links to decisions, RFCs and CWE entries."""

    def rfc(match: re.Match[str]) -> str:
        section = re.search(r"\d+(?:\.\d+)*", match[2])
        anchor = f"#section-{section[0]}" if section else ""
        return f"[{match[0]}](https://www.rfc-editor.org/rfc/rfc{match[1]}{anchor})"

    def decision(match: re.Match[str]) -> str:
        return re.sub(r"\d+", lambda number: f"[{number[0]}]({_DECISIONS}#{anchors[int(number[0])]})", match[0])

    def cwe(match: re.Match[str]) -> str:
        return f"[{match[0]}](https://cwe.mitre.org/data/definitions/{match[1]}.html)"

    text = re.sub(r"decisions? \d+(?:(?:, | and )\d+)*", decision, _RFC.sub(rfc, source))
    return re.sub(r"CWE-(\d+)", cwe, text)


def clause_page() -> Iterator[str]:
    """Yield the lines of ``docs/clauses.md``."""
    contract = load_contract()
    yield "# The clauses"
    yield ""
    yield "<!-- Generated: python -m batch_conformance.cli.pages clauses > docs/clauses.md -->"
    yield ""
    yield f"Contract {contract.version}. `must` is documented, or plain HTTP and JSON; `should` is inferred or good"
    yield "practice, and fails only under `--batch-strict`. `batch-conformance explain CLAUSE` says more of each."
    yield ""
    yield "**Sources**"
    yield ""
    yield from (f"- *{word}*: {meaning}" for word, meaning in _LEGEND)
    anchors = decision_anchors()
    themes: dict[str, list[Clause]] = {}
    for clause in contract.clauses.values():
        themes.setdefault(clause.id.rpartition(".")[0], []).append(clause)
    for theme, clauses in themes.items():
        yield from (
            "",
            f"## {theme}",
            "",
            "| clause | level | promise | source |",
            "| --- | --- | --- | --- |",
        )
        for clause in clauses:
            yield f"| `{clause.id}` | {clause.level} | {clause.promise} | {source_links(clause.source, anchors)} |"


def decision_anchors() -> dict[int, str]:
    """Return the anchors that GitHub gives to the headings of the decisions, by number."""
    from batch_conformance.contract import contract_root

    text = (contract_root() / "contracts" / "decisions.md").read_text("utf-8")
    anchors = {}
    for number, title in re.findall(r"^## (\d+)\. (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", f"{number}. {title}".lower()).replace(" ", "-")
        anchors[int(number)] = slug
    return anchors


def option_table() -> Iterator[str]:
    """Yield the lines of the option table in ``docs/reference.md``."""
    yield "| option | meaning |"
    yield "| --- | --- |"
    for name, _, settings, description in OPTIONS:
        value = settings.get("metavar") or "\\|".join(settings.get("choices", ()))
        yield f"| `--batch-{name}{' ' + value if value else ''}` | {description} |"


_PAGES = {"clauses": clause_page, "options": option_table}

if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in _PAGES]:
        sys.exit(f"usage: python -m batch_conformance.cli.pages {'|'.join(_PAGES)}")
    print("\n".join(_PAGES[sys.argv[1]]()))
