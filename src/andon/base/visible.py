"""Text from outside, made safe to show."""


def visible(text: str) -> str:
    """Text whose hidden letters (escape codes, marks that turn the direction of reading) are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)
