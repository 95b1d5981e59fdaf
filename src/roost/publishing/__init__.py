"""Pure decisions about posts: what is valid, what the next step is, and what has happened."""
