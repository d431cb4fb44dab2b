"""Graphs as the server runs them: compiled, scripted, from factories."""
