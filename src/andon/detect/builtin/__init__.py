"""The detectors that Andon ships, one file each."""
