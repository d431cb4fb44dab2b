"""The reference server: real or scripted graphs over the LangGraph Server API."""
