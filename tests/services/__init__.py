"""Tests of the use cases, with the emulator and a real PostgreSQL."""
