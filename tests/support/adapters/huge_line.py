"""Answers one call with a line of several megabytes."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "huge-line",
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
        reply["batch"]["id"] = "x" * 4_000_000
    print(json.dumps(reply), flush=True)
