"""Andon, the open-source AI incident response system."""
