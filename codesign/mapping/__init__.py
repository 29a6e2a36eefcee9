"""Stage three: which engine runs which operator, in which tiles."""
