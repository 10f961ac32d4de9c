"""The reference server and client, and their single-fault mutants."""
