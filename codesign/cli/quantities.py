"""Numbers for people, as every table of the command line has them."""

from codesign.quantities import LEAST_SHARE, ROUNDING, count, quantity, share, size

__all__ = ["LEAST_SHARE", "ROUNDING", "count", "quantity", "share", "size"]
