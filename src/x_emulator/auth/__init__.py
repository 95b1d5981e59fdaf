"""Authentication and authorization: the app and user of a request, and their permissions."""
