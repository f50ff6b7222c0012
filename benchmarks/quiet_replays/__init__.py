"""Quiet replays: resampled history in which nothing failed, to count false incidents on."""
