"""An emulator of the X API over HTTP, for tests, demos and every client that posts to X.

The package imports only the weight calculation of `roost.text` from Roost. If the emulator shared
more code with Roost, a mistake in that code would go unnoticed. `x_emulator.router` builds the
application and `x_emulator.server` serves it.
"""
