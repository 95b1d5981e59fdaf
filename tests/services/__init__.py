"""The use cases, over the emulator and a real PostgreSQL."""
