"""Writes to stdout after its answer."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "noisy-afterwards",
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
    noise = "bye for now\n" if request.get("batch_id") == "fault" else ""
    sys.stdout.write(f"{json.dumps(reply)}\n{noise}")  # in one write, so that the noise has arrived when the answer has
    sys.stdout.flush()
