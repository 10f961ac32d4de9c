"""Answers one call with both a batch and an error."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "batch-and-error",
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
        reply["error"] = {"kind": "other", "status": None, "message": "both"}
    print(json.dumps(reply), flush=True)
