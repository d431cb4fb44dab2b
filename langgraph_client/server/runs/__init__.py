"""Runs: create, queue, carry out, follow, end."""
