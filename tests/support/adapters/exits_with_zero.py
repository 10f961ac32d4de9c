"""Exits at once with status 0."""
