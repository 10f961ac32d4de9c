"""Starts a child that keeps stdout and stderr open, and exits in one call."""

import json
import os
import signal
import sys

HELLO = {
    "protocol": 1,
    "name": "keeps-stdout-open",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

if os.fork() == 0:
    signal.pause()
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    if request.get("batch_id") == "fault":
        os._exit(3)
    print(json.dumps(reply), flush=True)
