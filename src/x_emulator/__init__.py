"""The X API played over HTTP, for tests, demos and anyone who posts to X.

An import root of its own: of Roost it uses the weighing of texts and nothing else, so that a
mistake there cannot hide here. `x_emulator.server` makes and serves it.
"""
