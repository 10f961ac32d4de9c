"""``python -m batch_conformance.reference --port 3001``: run the reference server or one of its mutants."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from batch_conformance.contract import current_contract, load_with_overlays, use_contract
from batch_conformance.contract.document import ContractError
from batch_conformance.contract.rules import RuntimeMissing
from batch_conformance.generate.satisfiable import NoValidValue, require_values
from batch_conformance.mutants import variants
from batch_conformance.mutants.derived import unprovable
from batch_conformance.mutants.server import server_mutants, server_variations
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions
from batch_conformance.reference.store import REFERENCE_KEY


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 0, or 4 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m batch_conformance.reference", description=__doc__)
    parser.add_argument("--port", type=int, default=3001, help="port on 127.0.0.1 (default: 3001; 0: any)")
    parser.add_argument("--mutant", metavar="NAME", help="serve one of the mutants or legal variations")
    parser.add_argument(
        "--list-mutants", action="store_true", help="list the mutants with the clauses they break"
    )
    parser.add_argument("--overlay", metavar="FILE", type=Path, action="append", default=[],
                        help="serve an edited contract: apply an overlay to it; repeatable")  # fmt: skip
    told = parser.parse_args(arguments)
    try:
        use_contract(load_with_overlays(told.overlay))
        require_values(current_contract())
        if told.list_mutants:
            return _listed()
        known = variants("server", told.mutant) if told.mutant else {}
        if told.mutant is not None and told.mutant not in known:
            print(f"unknown mutant {told.mutant!r}: --list-mutants lists them", file=sys.stderr)
            return 4
        app = known[told.mutant].build() if told.mutant else ReferenceServer()
    except (ContractError, NoValidValue) as error:
        print(error, file=sys.stderr)
        return 4
    key = os.environ.get("SYNC_API_KEY")
    if key:
        app.keys = (key.encode(),)
    try:
        return _serve(app, told.port, shown="of SYNC_API_KEY" if key else REFERENCE_KEY)
    except OSError as error:
        print(f"port {told.port} cannot be listened on: {error.strerror}", file=sys.stderr)
        return 4


def _listed() -> int:
    try:
        known, lost_ones = variants("server"), unprovable("server")
    except RuntimeMissing as error:
        # Handwritten mutants need no CEL runtime.
        known, lost_ones = {**server_variations(), **server_mutants()}, ()
        print(f"Mutants derived from the contract are not listed: {error}", file=sys.stderr)
    for name, variant in known.items():
        print(f"{name:40} {variant.clause or 'legal'}")
    for lost in lost_ones:
        print(f"{lost.name:40} none: {lost.reason}")
    return 0


def _serve(app: ReferenceServer, port: int, shown: str) -> int:
    if isinstance(app.manner, WireOptions):
        print("this variant needs the plain server: run it with --batch-mutant instead", file=sys.stderr)
        return 4
    try:
        # Imported late: --list-mutants works without the server extra.
        from batch_conformance.reference.serve import serve_forever
    except ImportError as error:
        print(
            f"this needs its extra: pip install 'sync-batch-conformance[server]' ({error})", file=sys.stderr
        )
        return 3

    def tell(url: str) -> None:
        print(f"Reference server on {url}, API key {shown}", flush=True)
        print("Batches:", *app.store.batches, flush=True)

    serve_forever(app, port, tell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
