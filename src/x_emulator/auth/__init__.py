"""Authentication: who sends a request, and what the credentials allow."""
