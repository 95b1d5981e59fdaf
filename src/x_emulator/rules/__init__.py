"""X's rules on plain data, without HTTP."""
