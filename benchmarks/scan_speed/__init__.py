"""What `benchmarks/scan.py` runs, each in a process of its own."""
