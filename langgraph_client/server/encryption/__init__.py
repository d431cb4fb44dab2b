"""Encrypts what the server keeps, by an application's handlers."""
