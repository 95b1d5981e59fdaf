"""`roost demo`: every step of Roost against the emulator, in one command."""
