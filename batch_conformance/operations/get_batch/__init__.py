"""What is special about Get Batch."""
