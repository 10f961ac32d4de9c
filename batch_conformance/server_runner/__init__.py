"""Running the server suite: target, pre-flight, discovery, transport, and the sending of probes."""
