"""Chaos: publishes posts while workers die, X fails, clocks err and databases restart."""
