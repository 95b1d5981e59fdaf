"""An emulator of the X API over HTTP, for tests, demos and every client that posts to X.

It is an import root of its own and uses only the weight calculation of `roost.text`, so that a
mistake in Roost cannot hide here. `x_emulator.router` builds the application and
`x_emulator.server` serves it.
"""
