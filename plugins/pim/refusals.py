"""What units next to the banks take, and the reason for people where they do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from codesign import Op
from codesign.workload.work import format_pair, number_format, product

WEIGHTS = 1
"""Number of the operand of a contraction that lies in the banks."""
_STORED = ("weight", "constant", "state")
_OPERANDS: Mapping[str, tuple[int, ...]] = {"add": (2,), "mul": (2,), "relu": (1,)}
"""Functions that registers can do, each with how many tensors it reads."""


def refused(
    op: Op, formats: Collection[str], element_formats: Collection[str], behind: Collection[str]
) -> str | None:
    """Why an operator is not taken; None where it is.

    Args:
        op: the operator.
        formats: pairs of formats that are multiplied, as ``fp16*fp16``.
        element_formats: formats of elementwise work; none where the units do none.
        behind: functions that the host does behind a product.
    """
    if op.kind == "contraction":
        return refused_product(op, formats, behind)
    if op.kind == "elementwise" and element_formats:
        return _refused_elementwise(op, element_formats)
    works = "products with stored weights" + " and elementwise work" * bool(element_formats)
    return f"takes {works}, not {op.kind}"


def refused_product(op: Op, formats: Collection[str], behind: Collection[str]) -> str | None:
    """Why a contraction is not taken; arguments as for ``refused``."""
    pair = format_pair(op)
    if op.inputs[WEIGHTS].tensor.role not in _STORED:
        return "a product of two activations has no operand in the banks"
    if product(op) not in ("linear", "temporal_filter", "attention"):
        return "takes matrix-vector products, and no window that slides"
    if pair not in formats:
        return f"multiplies {', '.join(sorted(formats))}, not {pair}; add its energy to mac_energy"
    unknown = [name for name in op.functions if name not in behind]
    if unknown:
        return f"leaves {', '.join(unknown)} behind a product to no one; name it in host_functions"
    return None


def _refused_elementwise(op: Op, formats: Collection[str]) -> str | None:
    found = str(number_format(op))
    if len(op.functions) != 1 or op.functions[0] not in _OPERANDS:
        return f"does one of {', '.join(_OPERANDS)} at a time, not {' and '.join(op.functions)}"
    alike = {(access.elements, str(access.tensor.dtype)) for access in op.operands}
    if len(op.inputs) not in _OPERANDS[op.functions[0]] or len(alike) != 1:
        return "works on tensors of one shape and format, as many as the function has operands"
    if found not in formats:
        return f"works on {', '.join(sorted(formats))}, not {found}; add it to element_energy"
    return None
