"""Readers of signals: the body that a monitor sends, as alerts."""
