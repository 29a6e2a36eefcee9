"""Studies: spaces, constraints, the journal, the processes that measure points, and fronts."""
