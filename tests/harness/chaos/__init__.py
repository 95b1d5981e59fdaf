"""Chaos: publishing while workers die, X fails, clocks are wrong, the database restarts."""
