"""`roost demo`: runs every step of Roost against the emulator, in one command."""
