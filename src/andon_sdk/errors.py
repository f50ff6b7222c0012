"""Errors that a caller acts on."""


class SdkError(Exception):
    """Base of them."""


class SpoolFull(SdkError):
    """The server was away for so long that the spool is full: the event was not taken."""


class Unsafe(SdkError):
    """The folder of the spool cannot be used."""


class Forged(SdkError):
    """The server's proof does not hold: what was acknowledged is not in its log, or its log was rewritten."""
