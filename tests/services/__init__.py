"""Tests of the services, with the emulator and a real PostgreSQL."""
