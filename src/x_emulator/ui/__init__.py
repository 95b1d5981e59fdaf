"""The HTML pages: the consent screens, and the dashboard at `/`."""
