"""Typed models of the JSON that each command prints; the documentation is made from them."""
