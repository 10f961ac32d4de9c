"""Tests that judge recorded traffic."""
