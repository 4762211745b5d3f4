"""Scores the tool on trees that people labelled, and on the project's own fixtures."""
