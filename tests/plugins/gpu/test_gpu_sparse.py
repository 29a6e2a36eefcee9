"""The kind ``sparse_tensor_core``: when it runs sparse, what that gains, and what it never does."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from codesign_plugins.gpu import SparseTensorCore
from hypothesis import given
from hypothesis import strategies as st

import codesign
from codesign import Op, Sparsity, Stored, Trace, load_hardware
from codesign.calibration import budget_of
from codesign.errors import HardwareError
from codesign.hardware.plan import Budget
from codesign.testing import check_engine, elementwise, matmul

PACKED = Stored("2:4", Fraction(8), Fraction(1))
ROOMY = Budget(1 << 27, 1e15, 1e15)
NARROW = Budget(1 << 27, 1e12, 1e12, port_bytes_per_s=7e12)
PLENTY = (256 * 12, 8192, 128 * 9)
"""Sizes that fill 108 units with tiles of 256 x 128, one each."""


def core(**fields: Any) -> SparseTensorCore:
    return SparseTensorCore(name="gpu", buffer="l2", **fields)


def product(
    m: int, k: int, n: int, pattern: str = "2:4 axis 0", stored: Stored | None = PACKED
) -> Op:
    """A product of fp16 with sparse weights; axis 0 of the weights is the sum."""
    op = matmul(m, k, n, dtype="fp16")
    weight = op.inputs[1]
    tensor = replace(weight.tensor, sparsity=Sparsity.parse(pattern), stored=stored)
    return replace(op, inputs=(op.inputs[0], replace(weight, tensor=tensor)))


def test_it_keeps_every_promise_of_an_engine() -> None:
    check_engine(core(t0=1e-6, sparse_efficiency=0.6, sparse_overhead=1e-6))


def test_sparse_weights_double_what_the_units_do_and_no_more() -> None:
    op = product(*PLENTY)
    dense = core().kernel(matmul(*PLENTY, dtype="fp16"), ROOMY)
    sparse = core().kernel(op, ROOMY)
    assert dense.compute_s / sparse.compute_s == pytest.approx(2.0)
    assert sparse.note.startswith("2:4 sparse")


def test_the_sparse_share_of_the_peak_is_its_own() -> None:
    fitted = core(compute_efficiency=0.8, sparse_efficiency=0.5)
    dense = fitted.kernel(matmul(*PLENTY, dtype="fp16"), ROOMY)
    sparse = fitted.kernel(product(*PLENTY), ROOMY)
    assert dense.compute_s / sparse.compute_s == pytest.approx(2 * 0.5 / 0.8)


def test_fewer_weights_than_the_pattern_keeps_buy_nothing_more() -> None:
    half, quarter = (core().kernel(product(*PLENTY, f"{n}:4 axis 0"), ROOMY) for n in (2, 1))
    assert quarter.compute_s == half.compute_s
    assert (half.zeros, quarter.zeros) == (0, math.prod(PLENTY) // 4)


def test_a_thin_product_gains_the_bytes_only_and_never_twofold() -> None:
    sizes = (1, 8192, 8192)
    dense = core().kernel(matmul(*sizes, dtype="fp16"), NARROW)
    sparse = core().kernel(product(*sizes), NARROW)
    gain = dense.work_s / sparse.work_s
    assert gain == pytest.approx(1 / 0.5625, rel=0.01)
    assert gain < 1.78


@given(
    m=st.integers(1, 4096),
    k=st.integers(4, 4096),
    n=st.integers(1, 4096),
    share=st.sampled_from([0.4, 0.8, 1.0]),
)
def test_it_is_never_slower_than_dense_and_never_more_than_twice_as_fast(
    m: int, k: int, n: int, share: float
) -> None:
    engine = core(sparse_efficiency=share, sparse_overhead=1e-6)
    dense = engine.kernel(matmul(m, k, n, dtype="fp16"), NARROW).work_s
    found = engine.kernel(product(m, k, n), NARROW).work_s
    assert dense / 2 * (1 - 1e-9) <= found <= dense


FITTED_SPARSE = ("2:4 contraction fp16*fp16",)


@given(
    m=st.sampled_from([32, 300, 4096, 8192]),
    k=st.sampled_from([64, 1024, 8192]),
    n=st.sampled_from([128, 4096, 8192]),
    dense=st.floats(0.05, 1.0),
    sparse=st.floats(0.05, 1.0),
)
def test_a_dense_fit_alone_never_makes_a_sparse_kernel_gain_more_than_twofold(
    m: int, k: int, n: int, dense: float, sparse: float
) -> None:
    """No constant of sparse kernels was fitted: they reach no more than dense ones do."""
    engine = core(
        compute_efficiency=dense,
        sparse_efficiency=sparse,
        calibrated_work=("contraction fp16*fp16",),
        calibration="fitted",
    )
    before = engine.kernel(matmul(m, k, n, dtype="fp16"), NARROW).work_s
    after = engine.sparse_kernel(product(m, k, n), NARROW)
    assert before <= 2 * after.work_s * (1 + 1e-9)
    assert ("; not fitted: " in after.note) == (sparse > dense)


def test_a_sparse_share_that_was_fitted_counts_as_it_is() -> None:
    fitted = core(
        compute_efficiency=0.5, sparse_efficiency=0.6, calibrated_work=FITTED_SPARSE
    ).sparse_kernel(product(*PLENTY), ROOMY)
    unfitted = core(compute_efficiency=0.5, sparse_efficiency=0.6).sparse_kernel(
        product(*PLENTY), ROOMY
    )
    assert unfitted.compute_s / fitted.compute_s == pytest.approx(0.6 / 0.5)
    assert "not fitted" not in fitted.note


def test_a_dense_fit_says_nothing_of_sparse_kernels() -> None:
    dense, sparse = matmul(*PLENTY, dtype="fp16"), product(*PLENTY)
    engine = core(calibrated_work=("contraction fp16*fp16",), calibration="fitted to products")
    assert engine.beyond(dense) == ""
    assert engine.beyond(sparse) == "no 2:4 contraction fp16*fp16 was measured"
    assert engine.plan(sparse, ROOMY).note.endswith(
        "outside of what it was fitted on: no 2:4 contraction fp16*fp16 was measured"
    )
    both = core(calibrated_work=("contraction fp16*fp16", *FITTED_SPARSE))
    assert both.beyond(sparse) == ""


def test_weights_that_do_not_fit_are_dense_work() -> None:
    engine = core(calibrated_work=("contraction fp16*fp16",))
    assert engine.beyond(product(*PLENTY, "2:8 axis 0", stored=None)) == ""


def test_rows_that_need_no_filling_pay_no_overhead() -> None:
    engine = core(sparse_overhead=1e-4, min_rows=32)
    few, enough = (engine.sparse_kernel(product(m, 4096, 4096), NARROW).extra_s for m in (31, 32))
    assert (few, enough) == (1e-4, 0.0)


def test_a_dense_kernel_reads_dense_weights_whatever_is_stored() -> None:
    slow = core(sparse_overhead=1e-3)
    packed = slow.kernel(product(1, 8192, 8192), NARROW)
    dense = slow.kernel(matmul(1, 8192, 8192, dtype="fp16"), NARROW)
    assert packed.memory_s == dense.memory_s


def test_an_overhead_makes_it_take_the_dense_kernel() -> None:
    slow = core(sparse_overhead=1e-4)
    kernel = slow.kernel(product(1, 4096, 4096), NARROW)
    assert "runs dense: the sparse kernel takes" in kernel.note
    assert kernel.macs == 4096 * 4096
    assert slow.sparse_kernel(product(1, 4096, 4096), NARROW).work_s > 1e-4


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("0.5", "the weights are not 2:4"),
        ("block 4x4 0.5", "the weights are not 2:4"),
        ("3:4 axis 0", "the weights are 3:4, the units take 2:4"),
        ("2:8 axis 0", "the weights are 2:8, the units take 2:4"),
        ("2:4 axis 1", "the groups of the weights lie along axis 1, not along the sum"),
        ("2:4", "the groups of the weights lie along axis -1, not along the sum"),
    ],
)
def test_weights_that_do_not_fit_run_dense_and_the_plan_says_why(pattern: str, reason: str) -> None:
    op = product(*PLENTY, pattern, stored=None)
    plan = core().plan(op, ROOMY)
    assert plan.note.endswith(f"; runs dense: {reason}")
    dense = core().kernel(matmul(*PLENTY, dtype="fp16"), ROOMY)
    assert core().kernel(op, ROOMY).work_s == dense.work_s


def test_the_axis_counts_where_the_weights_are_transposed() -> None:
    """A linear layer stores its weights as [columns, sum]: its groups lie along axis 1."""
    op = matmul(*PLENTY, dtype="fp16")
    _, k, n = PLENTY
    weight = op.inputs[1]
    found = {}
    for axis in (0, 1):
        sparsity = Sparsity.parse(f"2:4 axis {axis}")
        tensor = replace(weight.tensor, shape=(n, k), sparsity=sparsity)
        turned = replace(weight, tensor=tensor, strides=(1, k))
        found[axis] = core().mismatch(replace(op, inputs=(op.inputs[0], turned)))
    assert found[1] == ""
    assert "not along the sum" in found[0]


def test_weights_that_are_not_packed_travel_dense() -> None:
    packed, plain = (core().sparse_kernel(product(1, 8192, 8192, stored=s), NARROW) for s in CODECS)
    assert plain.memory_s / packed.memory_s == pytest.approx(1 / 0.5625, rel=0.01)
    assert "travel dense" in plain.note
    assert "travel dense" not in packed.note


CODECS = (PACKED, None)


def test_rows_are_filled_up_to_the_least_that_a_kernel_takes() -> None:
    few, all_rows = (
        core(min_rows=128).sparse_kernel(product(m, 8192, 8192), ROOMY) for m in (1, 128)
    )
    assert few.compute_s == all_rows.compute_s
    assert few.macs == 8192 * 8192 // 2
    assert few.spent["edge of tiles"] > all_rows.spent["edge of tiles"]


def test_the_dense_factor_can_hold_the_units_up() -> None:
    """It is not compressed: in half of the time the same bytes ask for twice the rate."""
    tight = Budget(1 << 27, 1e15, 1e15, port_bytes_per_s=2e12)
    dense = core().kernel(matmul(*PLENTY, dtype="fp16"), tight)
    sparse = core().kernel(product(*PLENTY), tight)
    assert 1 < dense.compute_s / sparse.compute_s < 2
    assert sparse.spent["shared cache"] > 0


def test_what_is_skipped_is_not_issued_and_what_is_issued_has_a_cause() -> None:
    engine, op = core(t0=1e-6), product(300, 4096, 500, "1:4 axis 0")
    plan = engine.plan(op, NARROW)
    slots = dict(plan.slots)
    issued = 300 * 4096 * 500 // 2
    assert slots["effective"] == issued // 2
    assert slots["zero weights"] == issued - issued // 2
    per_cycle = engine.units * engine.macs["fp16*fp16"]
    assert sum(slots.values()) == pytest.approx(plan.cycles * per_cycle, abs=2 * per_cycle)


def test_data_and_metadata_are_charged_apart() -> None:
    counts = {
        action: count
        for part, action, count in core().plan(product(*PLENTY), ROOMY).actions
        if not part
    }
    assert counts["mac fp16*fp16"] == math.prod(PLENTY) // 2
    # two bits for each of two weights of four
    assert counts["metadata bit"] == PLENTY[1] * PLENTY[2]
    assert core().energies_j()["metadata bit"] > 0


def test_dense_weights_have_no_metadata() -> None:
    plan = core().plan(matmul(*PLENTY, dtype="fp16"), ROOMY)
    assert "metadata bit" not in [action for _, action, _ in plan.actions]


def test_work_that_is_no_product_is_as_on_the_dense_device() -> None:
    op = elementwise((512, 512), dtype="fp16")
    assert core().kernel(op, NARROW).note == ""


@pytest.mark.parametrize("kept", [4, 5])
def test_a_group_that_keeps_everything_is_refused(kept: int) -> None:
    with pytest.raises(HardwareError, match=rf"gpu.kept must be below gpu.group = 4, got {kept}"):
        core(kept=kept).check()


def test_it_takes_its_own_codec_as_it_is_stored() -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    assert core().decodes(op, 1) == ("2:4",)
    assert core(kept=1).decodes(op, 1) == ("1:4",)
    assert core().decodes(op, 0) == core().decodes(elementwise((8,)), 0) == ()


def test_a_replay_with_packed_weights_takes_the_closed_form_and_moves_fewer_bytes() -> None:
    machine = load_hardware("a100-80gb").with_("gpu.sparse_overhead", 0.0)
    (engine,) = machine.engines
    assert isinstance(engine, SparseTensorCore)
    found = {}
    for name, op in (
        ("dense", matmul(64, 8192, 8192, dtype="fp16")),
        ("sparse", product(64, 8192, 8192)),
    ):
        tensors = tuple(access.tensor for access in op.operands)
        found[name] = codesign.simulate(Trace("alone", (op,), tensors), machine)
        closed = engine.t0 + engine.kernel(op, budget_of(machine, engine)).work_s
        assert found[name].latency_s == pytest.approx(closed, rel=0.01)
    weights = {name: one.offchip_bytes["weight"] for name, one in found.items()}
    assert weights["sparse"] / weights["dense"] == pytest.approx(0.5625, rel=1e-3)
    assert found["sparse"].latency_s < found["dense"].latency_s


def test_random_weights_that_are_half_zero_are_no_pattern() -> None:
    values = np.random.default_rng(0).random((64, 64)) < 0.5
    sparsity = Sparsity.of(values.astype(float))
    op = matmul(64, 64, 64, dtype="fp16")
    weight = replace(op.inputs[1], tensor=replace(op.inputs[1].tensor, sparsity=sparsity))
    sparse = replace(op, inputs=(op.inputs[0], weight))
    assert core().mismatch(sparse) == "the weights are not 2:4"
