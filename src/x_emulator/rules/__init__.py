"""X's rules, as functions on the emulator's state that know nothing of HTTP."""
