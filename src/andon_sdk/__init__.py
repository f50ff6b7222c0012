"""Records what a model decides, from inside the process that decides; needs Python's standard library only."""
