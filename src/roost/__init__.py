"""Roost: publish to X exactly once, and understand what it earned."""
