"""Ignores SIGTERM, and hangs in one call."""

import json
import signal
import sys

HELLO = {
    "protocol": 1,
    "name": "ignores-sigterm",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

signal.signal(signal.SIGTERM, signal.SIG_IGN)

for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    if request.get("batch_id") == "fault":
        signal.pause()
    print(json.dumps(reply), flush=True)
