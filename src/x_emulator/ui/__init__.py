"""The HTML pages: consent screens and the dashboard at `/`."""
