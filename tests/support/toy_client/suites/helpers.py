"""Helpers shared by tests."""

OWN = "the client's own"
