"""Answers hello, and exits at every call."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "breaks-at-once",
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
    if request["op"] == "get_batch":
        sys.exit("no such client")
    print(json.dumps(reply), flush=True)
