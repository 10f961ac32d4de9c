"""The reference client as a driver process (driver protocol, version 1, on standard input and output).

python -m batch_conformance.reference.client_driver [--mutant NAME]
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from typing import Any

from batch_conformance.mutants import variants
from batch_conformance.reference import client


def main(arguments: list[str] | None = None) -> None:
    """Reply to requests until bye or the end of input."""
    parser = argparse.ArgumentParser(description="The reference client, speaking the driver protocol.")
    parser.add_argument("--mutant", metavar="NAME", help="a mutant or a legal variation instead")
    name = parser.parse_args(arguments).mutant
    choices = variants("client", name) if name else {}
    if name is not None and name not in choices:
        parser.error(f"there is no mutant {name}")
    serve(choices[name].adapter() if name else client.adapter)


def serve(adapter: client.Adapter) -> None:
    """Reply to the requests on standard input through an adapter, until bye or the end of input."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["op"] == "bye":
            return
        if request["op"] == "hello":
            reply: Any = {"hello": adapter.hello}  # type: ignore[attr-defined]
        else:
            reply = adapter(request)
        assert not inspect.isawaitable(reply)
        sys.stdout.write(json.dumps({"seq": request["seq"], **reply}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
