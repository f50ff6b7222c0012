"""Peers behind the contract of `andon scan`: their alerts, merged into incidents of `andon.scan/1`."""
