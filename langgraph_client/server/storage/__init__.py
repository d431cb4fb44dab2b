"""The database: its interface, and the functions that open one."""
