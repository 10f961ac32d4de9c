"""Answers hello and one call, then never reads again, and ignores the end of its input."""

import json
import signal
import sys

HELLO = {
    "protocol": 1,
    "name": "never-reads-bye",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

sys.stdin.readline()
print(json.dumps({"seq": 0, "hello": HELLO}), flush=True)
request = json.loads(sys.stdin.readline())
print(json.dumps({"seq": request["seq"], "batch": {"id": request["batch_id"]}}), flush=True)
while True:
    signal.pause()
