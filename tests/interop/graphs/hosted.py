"""The graphs of `support.graphs`, each under a name of its own, for a `langgraph.json`."""

from tests.support.graphs import graphs

globals().update(graphs())
