"""Writes four megabytes to stderr before it answers."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "stderr-flood",
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
        for number in range(65536):
            sys.stderr.write(f"line {number:>8} of a very talkative client, 64 bytes long, always\n")
    print(json.dumps(reply), flush=True)
