"""Closes its stdout instead of answering, and keeps running."""

import json
import os
import sys
import time

HELLO = {
    "protocol": 1,
    "name": "closes-stdout",
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
        os.close(1)
        time.sleep(30)
    print(json.dumps(reply), flush=True)
