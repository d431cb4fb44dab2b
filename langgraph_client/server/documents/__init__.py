"""Assistants, threads and crons as documents: create, change, delete."""
