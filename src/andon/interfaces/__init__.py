"""The faces of Andon: each parses, calls one service method, presents."""
