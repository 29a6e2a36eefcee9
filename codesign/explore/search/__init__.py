"""Search: points that an optimiser asks for, measured one batch after the other, and told."""
