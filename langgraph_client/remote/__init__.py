"""RemoteGraph: a graph on a server, used like the same graph compiled locally."""
