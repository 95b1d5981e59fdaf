"""Fixtures for tests of the command line and the web pages."""

from fix_web import browser, web

__all__ = ["browser", "web"]
