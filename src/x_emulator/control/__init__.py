"""The control API under `/_emulator`, through which tests and demos use the emulator."""
