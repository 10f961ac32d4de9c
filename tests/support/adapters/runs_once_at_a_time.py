"""Allows one process at a time, by a lock file, which is its only argument."""

import fcntl
import json
import sys

HELLO = {
    "protocol": 1,
    "name": "runs-once",
    "version": "1",
    "language": "python",
    "operations": ["get_batch"],
}

lock = open(sys.argv[1], "w")  # noqa: SIM115 - held until the end
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit("another one is running")
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    print(json.dumps(reply), flush=True)
