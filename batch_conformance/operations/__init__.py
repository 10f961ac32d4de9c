"""What is special about each operation, a folder each. No layer below names them: they are found (`contract.parts`)."""
