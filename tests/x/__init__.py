"""Tests of the X client, which sends its requests over HTTP to the emulator."""
