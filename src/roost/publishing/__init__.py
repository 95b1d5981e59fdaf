"""Pure functions that validate posts, decide a post's next step, and describe its history."""
