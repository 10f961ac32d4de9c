"""Get Batch."""
