"""Reports on a period: their content, charts, SVG pictures and the HTML page."""
