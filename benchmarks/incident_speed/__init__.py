"""Parts of `incidents.py`: the open load of signals, and the log that is scanned beside; each a process of its own."""
