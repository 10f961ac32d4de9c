"""Generation of values from schemas, of ids and keys, and Hypothesis strategies for answers."""
