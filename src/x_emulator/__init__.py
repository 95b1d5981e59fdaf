"""An emulator of the X API over HTTP, for tests, demos and every client that posts to X.

From Roost, the package imports only the function `weigh`, which computes a text's weighted length.
If the emulator shared more code with Roost, tests could not detect a mistake in the shared code.
`x_emulator.router` builds the application, and `x_emulator.server` serves the application.
"""
