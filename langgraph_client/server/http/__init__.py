"""Requests and responses: routes, checks, streams, the port, the in-process transport."""
