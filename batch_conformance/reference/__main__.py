"""``python -m batch_conformance.reference --port 3001``: run the reference server or one of its mutants."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from batch_conformance.cli import closed_pipe_ends_quietly
from batch_conformance.contract import current_contract, load_with_overlays, use_contract
from batch_conformance.contract.document import ContractError
from batch_conformance.generate.satisfiable import NoValidValue, require_values
from batch_conformance.mutants import listed_variants, variants
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions
from batch_conformance.reference.store import REFERENCE_KEY


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 0, or 4 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m batch_conformance.reference", description=__doc__)
    parser.add_argument("--port", type=int, default=3001, help="port on 127.0.0.1 (default: 3001; 0: any)")
    parser.add_argument("--mutant", metavar="NAME", help="serve one of the mutants or legal variations")
    parser.add_argument("--list-mutants", action="store_true", help="list the mutants with the clauses they break")
    parser.add_argument("--overlay", metavar="FILE", type=Path, action="append", default=[],
                        help="serve an edited contract: apply an overlay to it; repeatable")  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        use_contract(load_with_overlays(options.overlay))
        require_values(current_contract())
        if options.list_mutants:
            return _list_mutants()
        known = variants("server", options.mutant) if options.mutant else {}
        if options.mutant is not None and options.mutant not in known:
            print(f"unknown mutant {options.mutant!r}: --list-mutants lists them", file=sys.stderr)
            return 4
        app = known[options.mutant].build() if options.mutant else ReferenceServer()
    except (ContractError, NoValidValue) as error:
        print(error, file=sys.stderr)
        return 4
    key = os.environ.get("SYNC_API_KEY")
    if key:
        app.keys = (key.encode(),)
    try:
        return _serve(app, options.port, key_name="of SYNC_API_KEY" if key else REFERENCE_KEY)
    except OSError as error:
        print(f"port {options.port} cannot be listened on: {error.strerror}", file=sys.stderr)
        return 4


def _list_mutants() -> int:
    known, unprovable, why_not_derived = listed_variants("server")
    if why_not_derived:
        print(why_not_derived[:1].upper() + why_not_derived[1:], file=sys.stderr)
    with closed_pipe_ends_quietly():
        for name, variant in known.items():
            print(f"{name:40} {variant.clause or 'legal'}")
        for place in unprovable:
            print(f"{place.name:40} none: {place.reason}")
    return 0


def _serve(app: ReferenceServer, port: int, key_name: str) -> int:
    if isinstance(app.manner, WireOptions):
        print("this variant needs the plain server: run it with --batch-mutant instead", file=sys.stderr)
        return 4
    try:
        # Imported late: --list-mutants works without the server extra.
        from batch_conformance.reference.serve import serve_forever
    except ImportError as error:
        print(f"this needs its extra: pip install 'sync-batch-conformance[server]' ({error})", file=sys.stderr)
        return 3

    def announce(url: str) -> None:
        print(f"Reference server on {url}, API key {key_name}", flush=True)
        print("Batches:", *app.store.batches, flush=True)

    serve_forever(app, port, announce)
    return 0


if __name__ == "__main__":
    sys.exit(main())
