"""Findings that share a cause, as one incident: type, priority, affected, and the scan's document."""
