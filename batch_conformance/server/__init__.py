"""How to reach a server: target, pre-flight, discovery, the wire, and the probes that are sent."""
