"""Checks: pure functions from recorded exchanges or calls to findings, one per clause.

They never send anything.
"""
