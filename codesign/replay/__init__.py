"""Stage four: the only place with a clock."""
