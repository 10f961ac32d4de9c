"""Prints the API key wherever it can."""

import json
import sys

HELLO = {
    "protocol": 1,
    "name": "leaks-key",
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
        sys.stderr.write(f"x-api-key: {request['api_key']}\n")
        sys.stderr.flush()
        print(f"sending {request['api_key']}", flush=True)
        continue
    sys.stderr.write(f"key {request.get('api_key')}\n")
    sys.stderr.flush()
    print(json.dumps(reply), flush=True)
