"""Faults: what goes wrong on purpose, and how it reaches the client."""
