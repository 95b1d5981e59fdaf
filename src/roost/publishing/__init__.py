"""Pure decisions about posts: what is allowed, what comes next, what has happened."""
