"""The HTTP interface: parse, call one service method, present."""
