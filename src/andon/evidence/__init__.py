"""Evidence: seals, holds and the bundle that is handed out. Pure."""
