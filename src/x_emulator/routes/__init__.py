"""Request handlers of X's paths: read the request, call a rule, serialize the result."""
