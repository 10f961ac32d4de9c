"""What is sent: variants of ids and keys, and Hypothesis strategies for batches, errors, ids and keys."""
