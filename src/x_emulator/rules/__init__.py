"""X's rules, as functions on the emulator's state, without any HTTP."""
