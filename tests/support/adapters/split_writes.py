"""Writes every answer in pieces."""

import json
import sys
import time

HELLO = {
    "protocol": 1,
    "name": "split-writes",
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
    for char in json.dumps(reply) + "\n":
        sys.stdout.write(char)
        sys.stdout.flush()
        time.sleep(0.0005)
