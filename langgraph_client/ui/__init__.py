"""The local page: threads, their history, drawing and runs, for any server of the protocol."""
