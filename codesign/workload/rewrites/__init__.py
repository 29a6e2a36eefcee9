"""Other models from a trace: fewer layers, thinner matrices, merged blocks, narrower networks.

Each rewrite takes a trace and gives a valid one with a note of what changed; none needs torch. What
a rewrite does to the accuracy of a model is not simulated.
"""

from codesign.workload.rewrites.drop import drop_layers
from codesign.workload.rewrites.factorise import factorise
from codesign.workload.rewrites.merge import merge_block
from codesign.workload.rewrites.widths import shrink_widths

__all__ = ["drop_layers", "factorise", "merge_block", "shrink_widths"]
