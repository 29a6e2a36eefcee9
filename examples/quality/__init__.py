"""The study of accuracy, energy and latency together: network, training, points, the figure."""
