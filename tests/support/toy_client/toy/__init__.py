"""A client of the Batch API, in a repository of its own."""
