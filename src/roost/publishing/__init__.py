"""Pure functions that validate posts, decide their next step, and describe their history."""
