"""Get Batch, ``GET /v2/batch/{id}``: client cases and sample data."""
