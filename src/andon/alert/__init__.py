"""From findings to alerts: what belongs together, what is new, what is over."""
