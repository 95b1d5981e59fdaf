"""The fixtures of the faces."""

from fix_web import browser, web

__all__ = ["browser", "web"]
