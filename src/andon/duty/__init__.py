"""Duties in time: calendar, clocks, warnings."""
