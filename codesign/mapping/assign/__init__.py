"""Which engine runs which operator: rules, earliest finish, and the best of all."""
