"""Tests of the emulator, mostly over real HTTP."""
