"""Publishes posts while workers are killed, X fails, clocks err and databases restart."""
