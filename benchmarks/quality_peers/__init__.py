"""Peers behind the contract of `andon scan`: alerts of a tool or a practice, merged into incidents of `andon.scan/1`."""
