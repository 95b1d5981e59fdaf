"""The X client, over HTTP against the emulator."""
