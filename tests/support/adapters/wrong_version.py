"""Reports a future protocol version."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "wrong-version",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

HELLO["protocol"] = 2

for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    print(json.dumps(reply), flush=True)
