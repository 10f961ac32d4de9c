"""``init``: GitHub workflows for a server, a client and a nightly staging run, and a snippet for pyproject.toml."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from batch_conformance.cli import PASSED, WRONG_USAGE, Misuse
from batch_conformance.cli.parsing import parser_of

_TEMPLATES = Path(__file__).with_name("templates")
#: File of each kind of workflow, relative to the repository.
FILES = {
    kind: Path(".github") / "workflows" / f"batch-conformance-{kind}.yml" for kind in ("server", "client", "nightly")
}
_PACKAGE = "sync-batch-conformance"
#: Placeholder for an unknown origin of the suite: the package is on no index.
_UNKNOWN_ORIGIN = f"git+https://HOST/OWNER/{_PACKAGE}@COMMIT"


def init(arguments: Sequence[str]) -> int:
    """Write the workflows.

    If a file exists with other content, nothing is written and the status is 4, unless ``--force`` is given.
    """
    parser = parser_of("init", "Write GitHub workflows, and print a snippet for pyproject.toml.")
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        default=Path(),
        help="the repository (default: here)",
    )
    parser.add_argument(
        "--only",
        metavar="KIND",
        choices=list(FILES),
        action="append",
        help="server, client or nightly; repeatable",
    )
    parser.add_argument(
        "--install",
        metavar="WHAT",
        help="what pip installs: a git+https:// URL, a wheel, or a name on your index (default: the git URL that this "
        "package was installed from)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        raise Misuse(f"init: there is no folder {given.folder}")
    chosen = {kind: given.folder / place for kind, place in FILES.items() if not given.only or kind in given.only}
    install = given.install or installed_from() or _UNKNOWN_ORIGIN
    texts = {kind: template(kind).replace("@SUITE@", requirement(install, kind)) for kind in chosen}
    taken = [
        path
        for kind, path in chosen.items()
        if path.exists() and not (path.is_file() and path.read_bytes() == texts[kind].encode())
    ]
    if taken and not given.force:
        listed = ", ".join(map(str, taken))
        print(f"init: nothing was written, since these exist: {listed}; --force overwrites them", file=sys.stderr)
        return WRONG_USAGE
    try:
        for kind, path in chosen.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[kind], "utf-8", newline="\n")
            print(f"wrote {path}")
    except OSError as error:
        raise Misuse(f"init: {error.filename} cannot be written: {error.strerror}") from None
    if install == _UNKNOWN_ORIGIN:
        print(f"replace {_UNKNOWN_ORIGIN} in these files by the origin of the suite, or use --install WHAT")
    if "nightly" in chosen:
        print("\n" + _template("targets.txt"), end="")
    return PASSED


def installed_from() -> str:
    """Return the git URL and commit that pip installed this package from (PEP 610); empty for another origin."""
    try:
        recorded = json.loads(distribution(_PACKAGE).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return ""
    commit = recorded.get("vcs_info", {}).get("commit_id", "")
    return f"git+{recorded['url']}@{commit}" if commit else ""


def requirement(install: str, kind: str) -> str:
    """Return the requirement for pip, with its extra, for a name, a URL (also ``git+https://…``) or a wheel."""
    extra = "client" if kind == "client" else "server"
    if "://" in install:
        return f"{_PACKAGE}[{extra}] @ {install}"
    return f"{install}[{extra}]"


def template(kind: str) -> str:
    """Return the text of a workflow, with ``@SUITE@`` in place of the requirement for pip."""
    return _template(f"{kind}.yml")


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
