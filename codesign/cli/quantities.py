"""Numbers for people, as every table of the command line has them."""

from codesign.quantities import count, quantity, share, size

__all__ = ["count", "quantity", "share", "size"]
