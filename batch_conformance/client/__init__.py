"""How to play to a client: the stub server, the driver process, in-process clients, the cases and their judges."""
