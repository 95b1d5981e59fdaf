"""Faults: failures that the emulator produces on request, and their effect on the client."""
