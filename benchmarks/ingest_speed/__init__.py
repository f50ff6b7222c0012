"""Parts of `ingest.py`: the load, the floor, the peers; each runs as a process of its own."""
