"""Wiring: settings are read and adapters are chosen here and nowhere else."""
