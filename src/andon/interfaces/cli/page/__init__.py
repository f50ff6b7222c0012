"""The scan as one self-contained HTML page: what `andon scan --html` writes."""
