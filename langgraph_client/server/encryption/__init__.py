"""Encrypt the server's stored data with an application's handlers."""
