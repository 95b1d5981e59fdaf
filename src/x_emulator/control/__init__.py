"""The control API under `/_emulator`, which X does not have: for tests and demos."""
