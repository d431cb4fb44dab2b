"""The command `langgraph-client`: look at threads, run graphs, bring threads home."""
