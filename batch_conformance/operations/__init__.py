"""What is special about one operation of the API: the only code, with hand-made mutants, that may name its fields."""
