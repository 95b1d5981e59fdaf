"""Scenarios: accounts, and the events that change their metrics over time."""
