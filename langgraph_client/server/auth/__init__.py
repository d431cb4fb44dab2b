"""Authentication and authorization: the handlers of an `Auth`, and their filters."""
