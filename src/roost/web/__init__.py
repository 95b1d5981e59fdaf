"""The web server: OAuth callback, HTML pages and a small JSON API."""
