"""Tests what Roost does if its database loses data, with real workers and an operator."""
