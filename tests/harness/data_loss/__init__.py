"""Losses of data in the database, with real workers, machines and an operator."""
