"""Event streaming: a thread followed by its events, and steered by commands."""
