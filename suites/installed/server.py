"""Tests of a server."""
