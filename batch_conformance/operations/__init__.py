"""What is special about single operations, one folder each: the only code that may name a path, a field or a status."""
