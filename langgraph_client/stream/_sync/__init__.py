# Generated from langgraph_client/stream/_async/__init__.py by .ci/unasync.py; do not edit.

