"""Answers one call in Latin-1."""

import json
import sys

HELLO = {"protocol": 1, "name": "not-utf8", "version": "1", "language": "python", "operations": ["get_batch"]}

for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "bye":
        break
    reply = {"seq": request["seq"], "hello": HELLO}
    if request["op"] == "get_batch":
        reply = {"seq": request["seq"], "batch": {"id": request["batch_id"]}}
    if request.get("batch_id") == "fault":
        sys.stdout.buffer.write(b'{"seq": 1, "batch": {"id": "caf\xe9"}}\n')
        sys.stdout.flush()
        continue
    print(json.dumps(reply), flush=True)
