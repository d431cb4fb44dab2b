"""The storage in a PostgreSQL database that several servers share."""
