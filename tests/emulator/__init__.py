"""The emulator's own tests: everything over real HTTP, as a client sees it."""
