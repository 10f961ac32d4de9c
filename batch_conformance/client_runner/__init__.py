"""Running clients under test: cases, stub server, driver processes, in-process clients."""
