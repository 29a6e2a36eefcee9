"""Lower bounds of every point of a study at once, without planning or replaying any of them.

What a bound needs of a model is worked out once for each model, what it needs of a part of the
hardware once for each configuration of that part; the grid only looks both up.

Latency: engines compute no faster than at their peak, and what must come from off chip comes no
faster than memory and links carry it. Energy: the least actions of engines, the compulsory bytes
at their prices, and the power that flows all the time over the least latency. Source: the roofline
of Williams et al., CACM 52(4), 2009, per part; the traffic of a working set that is larger than the
memory on chip is that of Hong and Kung, STOC 1981, in its simplest form.
"""

from codesign.explore.bounds.points import Bounder, Bounds

__all__ = ["Bounder", "Bounds"]
