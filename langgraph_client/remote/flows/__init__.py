"""What RemoteGraph's methods ask of a server, each written once; see `flow`."""
