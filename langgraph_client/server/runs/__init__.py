"""Runs: create, queue, execute, follow, end."""
