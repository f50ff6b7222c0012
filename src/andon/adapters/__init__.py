"""The outside world behind ports; only bootstrap imports this room."""
