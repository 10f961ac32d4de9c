"""Tests that judge a client."""
