"""As langchain-ai/react-agent is laid out: a model that calls tools in a loop."""

from react_agent.graph import graph

__all__ = ["graph"]
