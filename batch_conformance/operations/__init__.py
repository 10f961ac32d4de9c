"""Code for single operations, one folder each. Only here and in ``mutants`` is the API named (paths, members)."""
