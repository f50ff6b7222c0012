"""One class per job; faces call these and nothing below them."""
