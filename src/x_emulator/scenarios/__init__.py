"""Scenarios: accounts, and what happens to them over time."""
