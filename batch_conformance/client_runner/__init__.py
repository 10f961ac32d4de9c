"""How to play to a client: stub server, driver processes, in-process clients, cases and their judges."""
