"""The storage in one SQLite file, or in memory."""
