"""The HTTP service: the way of connecting an account, the pages and a thin JSON API."""
