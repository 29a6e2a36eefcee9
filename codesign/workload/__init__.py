"""Stage one: the workload, from a PyTorch model to a trace."""
