"""Stage five: what came out, as columns."""
