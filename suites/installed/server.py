"""Tests that judge a server."""
