"""Kills itself with a signal in the middle of a call."""

import json
import os
import signal
import sys

HELLO = {
    "protocol": 1,
    "name": "dies-mid-case",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    if request.get("batch_id") == "fault":
        sys.stderr.write("about to crash\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
    print(json.dumps(reply), flush=True)
