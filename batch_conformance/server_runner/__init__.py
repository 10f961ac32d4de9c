"""How to reach a server: target, pre-flight, discovery, the transport, and the probes that are sent."""
