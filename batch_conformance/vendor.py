"""``python -m batch_conformance.vendor DEST``: create or update a copy of the suite in another repository.

The folder holds the package, ``contracts/``, ``schemas/``, the suites and the documentation, without the suite's own
tests. ``VERSION`` names the version; ``MANIFEST.sha256`` lists the digest of each file as written, so that
an update never overwrites local edits silently.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import posixpath
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from batch_conformance import __version__
from batch_conformance.contract import contract_root, load_contract

NAME = "sync-batch-conformance"
VERSION, MANIFEST, REQUIREMENTS = "VERSION", "MANIFEST.sha256", "requirements.txt"
SUITES = ("client", "server", "recorded")
DONE, EDITED, WRONG_USAGE = 0, 1, 4
_PACKAGE = Path(__file__).resolve().parent
_DATA = {"contracts", "schemas", "suites", "docs", "drivers"}
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
_README = """\
# sync-batch-conformance, vendored

A conformance test suite for the Batch API: it tests any server and any client against one contract. This folder was
made by `python -m batch_conformance.vendor`; [VERSION](VERSION) says from which version. Do not edit it:
[update it](docs/vendoring.md).

```sh
pip install -r requirements.txt
pytest suites/client --batch-client python:my_package.conformance:adapter   # or "exec:COMMAND"
```

- [Write a driver or an adapter for your client](drivers/README.md), from a [template](drivers/template/driver.py)
- [Update this folder, run it with your own tests](docs/vendoring.md)
- [Options, exit statuses, adapters](docs/reference.md) and [clauses](docs/clauses.md)
- [Accept failures until a date](docs/known-failures.md) and [work with findings](docs/findings.md)
- [All pages](docs/README.md)
"""


class NotVendored(Exception):
    """Raised for a folder that this command did not make. The message is one line for the user."""


@dataclass(frozen=True)
class State:
    """How a vendored folder differs from its manifest."""

    version: str
    recorded: Mapping[str, str]
    edited: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def unchanged(self) -> bool:
        """Whether no file was edited, removed or added."""
        return not (self.edited or self.missing or self.added)

    def lines(self) -> list[str]:
        """One line for each file that differs."""
        words = (("edited", self.edited), ("missing", self.missing), ("added", self.added))
        return [f"  {word:8} {name}" for word, names in words for name in names]


def vendored_files() -> dict[str, bytes]:
    """Return the content of each file of a vendored folder, except the manifest, from a checkout or the wheel."""
    root = contract_root()
    found = {f"batch_conformance/{name}": file for name, file in _files(_PACKAGE) if _top(name) not in _DATA}
    for folder in ("contracts", "schemas", *(f"suites/{suite}" for suite in SUITES)):
        found |= {f"{folder}/{name}": file for name, file in _files(root / folder)}
    found |= {f"docs/{name}": file for name, file in _files(root / "docs") if file.suffix == ".md"}
    found |= {f"drivers/{name}": root / "drivers" / name for name in ("README.md", "template/driver.py")}
    # Only in the wheel are the suites packages.
    files = {name: file.read_bytes() for name, file in found.items() if not re.match(r"suites/.*__init__\.py$", name)}
    conftest = root / "suites" / "installed" / "vendored_conftest.py" if root == _PACKAGE else root / "conftest.py"
    files["conftest.py"] = conftest.read_bytes()
    files[REQUIREMENTS] = _requirements(root).encode()
    files[VERSION] = _version(root, [_top(name) for name in found]).encode()
    files["README.md"] = _README.encode()
    files |= {name: _linked(name, page, files) for name, page in files.items() if name.endswith(".md")}
    # The manifest is about bytes: git must not convert line ends.
    files[".gitattributes"] = b"* -text linguist-vendored\n"
    return dict(sorted(files.items()))


def _linked(name: str, page: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a page with links to files outside of the folder turned into plain text."""
    folder = PurePosixPath(name).parent

    def link(found: re.Match[str]) -> str:
        target = found[2].partition("#")[0]
        inside = posixpath.normpath(folder / target)
        return found[0] if "://" in target or not target or inside in files else found[1]

    return _LINK.sub(link, page.decode("utf-8")).encode()


def _top(name: str) -> str:
    return name.partition("/")[0]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if file.is_file() and not hidden and file.suffix not in (".pyc", ".orig", ".rej"):
            yield name.as_posix(), file


def _version(root: Path, copied: list[str]) -> str:
    contract = load_contract()
    return (
        f"{NAME} {__version__}\n"
        f"commit {_commit(root, sorted(set(copied)))}\n"
        f"contract {contract.version} sha256 {contract.sha256}\n"
        "Made and updated by `python -m batch_conformance.vendor`; --check says whether it was edited.\n"
    )


def _commit(root: Path, copied: list[str]) -> str:
    if (root / ".git").exists():
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", *copied, "conftest.py")
        return commit + (" with changes that are not committed" if changed else "")
    earlier = root / VERSION
    if earlier.is_file():
        return earlier.read_text("utf-8").splitlines()[1].removeprefix("commit ")
    try:
        # pip records the commit that it installed from (PEP 610).
        recorded = importlib.metadata.distribution(NAME).read_text("direct_url.json") or "{}"
    except importlib.metadata.PackageNotFoundError:
        recorded = "{}"
    commit = json.loads(recorded).get("vcs_info", {}).get("commit_id")
    return commit or f"not recorded in the wheel of {__version__}"


def _git(root: Path, *arguments: str) -> str:
    try:
        ended = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return ended.stdout.strip()


def _requirements(root: Path) -> str:
    if (root / REQUIREMENTS).is_file():
        return (root / REQUIREMENTS).read_text("utf-8")
    extras: dict[str, list[str]] = {"": [], "client": [], "rules": [], "server": []}
    project = root / "pyproject.toml"
    if root != _PACKAGE and project.is_file():
        declared = tomllib.loads(project.read_text("utf-8"))["project"]
        extras[""] = declared["dependencies"]
        extras |= {extra: declared["optional-dependencies"][extra] for extra in ("client", "rules", "server")}
    else:
        for line in importlib.metadata.requires(NAME) or []:
            requirement, _, marker = line.partition(";")
            extra = re.search(r"""extra == ['"](\w+)['"]""", marker)
            extras.setdefault(extra[1] if extra else "", []).append(requirement.strip())
    needed = sorted(extras[""] + extras["client"], key=str.lower)
    purposes = {"server": "suites/server", "rules": "assert_conforms, and rules in recorded traffic,"}
    comments = [
        f"# For {purpose} as well: pip install " + " ".join(f"'{row}'" for row in sorted(extras[extra]))
        for extra, purpose in purposes.items()
    ]
    return "\n".join([*comments, *needed, ""])


def state_of(folder: Path) -> State:
    """Compare a vendored folder with its manifest. Raises :class:`NotVendored`."""
    try:
        version = (folder / VERSION).read_text("utf-8").splitlines()
        recorded = _recorded((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        raise NotVendored(f"{folder} was not made by this command: name a new or an empty folder") from None
    here = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in _vendored(folder)}
    return State(
        version="; ".join(version[:3]),
        recorded=recorded,
        edited=tuple(name for name in recorded if name in here and here[name] != recorded[name]),
        missing=tuple(name for name in recorded if name not in here),
        added=tuple(name for name in here if name not in recorded),
    )


def _vendored(folder: Path) -> Iterator[tuple[str, Path]]:
    yield from ((name, file) for name, file in _files(folder) if name != MANIFEST)
    if (folder / ".gitattributes").is_file():
        yield ".gitattributes", folder / ".gitattributes"


def _recorded(manifest: str) -> dict[str, str]:
    recorded = {}
    for line in manifest.splitlines():
        digest, _, name = line.partition("  ")
        path = PurePosixPath(name)
        if len(digest) != 64 or not name or path.is_absolute() or ".." in path.parts:
            raise ValueError("not a manifest")
        recorded[name] = digest
    return recorded


def vendor(folder: Path, *, force: bool = False) -> tuple[int, list[str]]:
    """Create or update a vendored folder; return the exit status and the lines for the user.

    Raises :class:`NotVendored` for a folder that this command did not make.
    """
    before: State | None = None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        before = state_of(folder)
    files = vendored_files()
    if before and not force:
        at_risk = [*before.edited, *before.missing, *(name for name in before.added if name in files)]
        if at_risk:
            lines = [line for line in before.lines() if line.split()[-1] in at_risk]
            return EDITED, [f"{folder} has local changes, nothing was done; --force overwrites them:", *lines]
    for name in before.recorded if before else ():
        if name not in files:
            _remove(folder, name)
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    manifest = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    # Written last: after an interruption, the old manifest still shows that the folder is not complete.
    (folder / MANIFEST).write_text("".join(f"{digest}  {name}\n" for name, digest in manifest.items()), "utf-8")
    return DONE, _summary(folder, before, manifest)


def _remove(folder: Path, name: str) -> None:
    place = folder / name
    place.unlink(missing_ok=True)
    for parent in place.parents:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


def _summary(folder: Path, before: State | None, manifest: Mapping[str, str]) -> list[str]:
    now = state_of(folder)
    if before is None:
        return [f"{folder}: {now.version}", f"  {len(manifest)} files"]
    touched = {*before.edited, *before.missing}
    changed = sum(before.recorded.get(name, digest) != digest or name in touched for name, digest in manifest.items())
    new, removed = len(manifest.keys() - before.recorded.keys()), len(before.recorded.keys() - manifest.keys())
    lines = [f"{folder}: {now.version}", f"  was {before.version}"]
    return [*lines, f"  {changed} files changed, {new} new, {removed} removed", *(now.lines() if now.added else [])]


def check(folder: Path) -> tuple[int, list[str]]:
    """Return status and lines on the version of a vendored folder and local edits. Raises :class:`NotVendored`."""
    state = state_of(folder)
    if state.unchanged:
        return DONE, [f"{folder}: {state.version}; unchanged"]
    return EDITED, [f"{folder}: {state.version}; with local changes:", *state.lines()]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, 1 for a folder with local changes, 4 for wrong usage."""
    description = "Create or update a copy of the suite in another repository."
    parser = argparse.ArgumentParser(prog="python -m batch_conformance.vendor", description=description)
    parser.add_argument("folder", type=Path, metavar="DEST", help="the folder, e.g. vendor/batch_conformance_suite")
    parser.add_argument("--check", action="store_true", help="only report its version, and whether it was edited")
    parser.add_argument("--force", action="store_true", help="overwrite local changes")
    try:
        given = parser.parse_args(arguments)
        status, lines = check(given.folder) if given.check else vendor(given.folder, force=given.force)
    except NotVendored as error:
        status, lines = WRONG_USAGE, [str(error)]
    except SystemExit as stop:
        return WRONG_USAGE if stop.code else DONE
    except OSError as error:
        status, lines = WRONG_USAGE, [f"{error.filename}: {error.strerror}"]
    print(*lines, sep="\n", file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main())
