"""Number formats: every torch dtype has the width it takes in memory, or is refused by name."""

from __future__ import annotations

import pytest
import torch
from torch_case import Call, captured

from codesign.errors import CaptureError
from codesign.workload.convert import dtype_of

PLAIN = [
    name
    for name in sorted(vars(torch))
    if isinstance(getattr(torch, name), torch.dtype) and not name.startswith(("q", "bit"))
]


@pytest.mark.parametrize("name", [n for n in PLAIN if "int" not in n or n in ("int8", "uint16")])
def test_the_width_of_a_format_is_that_of_its_storage(name: str) -> None:
    dtype = getattr(torch, name)
    assert dtype_of(dtype).bits == 8 * dtype.itemsize


@pytest.mark.parametrize("bits", range(1, 8))
def test_narrow_integers_keep_their_bits(bits: int) -> None:
    assert dtype_of(f"torch.uint{bits}").bits == bits
    assert dtype_of(f"int{bits}").bits == bits


def test_a_format_without_plain_elements_is_refused_by_name() -> None:
    with pytest.raises(CaptureError, match="qint8"):
        dtype_of(torch.qint8)


def test_an_eight_bit_float_is_stored_as_one_byte() -> None:
    found = captured(Call(lambda m, x: x.to(torch.float32)), torch.zeros(4).to(torch.float8_e4m3fn))
    assert [t.bytes for t in found.tensors] == [4, 16]
