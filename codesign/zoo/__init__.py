"""Models in plain torch that need no other package, by name."""
