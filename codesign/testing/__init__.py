"""The public conformance kit that plugin authors inherit.

Give ``check_engine``, ``check_memory`` or ``check_link`` an instance of your component in a test of
yours. They raise an AssertionError that says what to change; they need no test framework.

Examples:
    >>> from codesign.testing import check_memory
    >>> check_memory(MyMemory(name="m", size=1 << 20))  # doctest: +SKIP
"""

from codesign.testing.engines import check_engine, check_operator
from codesign.testing.memories import check_link, check_memory
from codesign.testing.operators import (
    contractions,
    convolution,
    elementwise,
    every_operator,
    gather,
    matmul,
    move,
    normalize,
    reduce,
    softmax,
    vector_work,
)
from codesign.testing.plans import check_plan
from codesign.testing.processes import check_process_engine
from codesign.testing.rules import check_fields
from codesign.testing.timelines import check_timeline
from codesign.testing.validations import check_validation
from codesign.workload.compulsory import compulsory_bytes

__all__ = [
    "check_engine",
    "check_fields",
    "check_link",
    "check_memory",
    "check_operator",
    "check_plan",
    "check_process_engine",
    "check_timeline",
    "check_validation",
    "compulsory_bytes",
    "contractions",
    "convolution",
    "elementwise",
    "every_operator",
    "gather",
    "matmul",
    "move",
    "normalize",
    "reduce",
    "softmax",
    "vector_work",
]
