"""The command `python -m langgraph_client.server`, and `langgraph.json`."""
