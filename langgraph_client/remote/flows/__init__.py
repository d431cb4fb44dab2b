"""The requests of RemoteGraph's methods, each written once; see `flow`."""
