"""The reference server and the reference client."""
