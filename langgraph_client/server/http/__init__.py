"""Requests and answers: routes, checks, streams, the port, the in-process transport."""
