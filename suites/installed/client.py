"""Tests of a client."""
