"""Labelled nests: MACs, merged loops, broadcast axes, and agreement with the matmul nest."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from codesign.workload import view
from codesign.workload.contraction import labelled_nest
from codesign.workload.dtype import DType
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Tensor

sizes = st.integers(1, 6)


def access_of(*shape: int) -> Access:
    return Tensor("t", shape, DType("fp", 32), "activation").access()


@given(st.lists(sizes, min_size=1, max_size=3), sizes, sizes)
def test_a_linear_layer_over_any_leading_axes_has_one_row_loop(
    lead: list[int], n: int, k: int
) -> None:
    rows = [f"m{i}" for i in range(len(lead))]
    extents = dict(zip(rows, lead, strict=True)) | {"n": n, "k": k}
    accesses, nest = labelled_nest(
        [
            (access_of(*lead, k), [*rows, "k"]),
            (access_of(n, k), ["n", "k"]),
            (access_of(*lead, n), [*rows, "n"]),
        ],
        extents,
    )
    assert nest.points == math.prod(lead) * n * k
    assert len(nest.dims) <= 3
    assert set(nest.dims) <= {"m", "n", "k", *rows}
    for operand, access in enumerate(accesses):
        assert len(nest.operands[operand]) == len(access.shape)


@given(st.permutations(["a", "b", "c"]), st.data())
def test_macs_are_the_product_of_all_labels_whatever_their_order(
    order: list[str], data: st.DataObject
) -> None:
    extents = {name: data.draw(sizes) for name in order}
    one, two, three = (access_of(extents[p], extents[q]) for p, q in ("ab", "bc", "ac"))
    accesses, nest = labelled_nest([(one, "ab"), (two, "bc"), (three, "ac")], extents)
    assert nest.points == math.prod(extents.values())
    for access, axes in zip(accesses, nest.operands, strict=True):
        extents_read = [nest.extents[axis.terms[0][0]] for axis in axes]
        assert list(access.shape) == extents_read


@given(st.integers(2, 5), st.integers(2, 5), st.integers(2, 5), st.integers(2, 5))
def test_a_batched_product_is_classified_like_the_matmul_nest(
    b: int, m: int, n: int, k: int
) -> None:
    _, nest = labelled_nest(
        [
            (access_of(b, m, k), "bmk"),
            (access_of(b, k, n), "bkn"),
            (access_of(b, m, n), "bmn"),
        ],
        {"b": b, "m": m, "n": n, "k": k},
    )
    assert nest == matmul_nest(b, m, n, k)


def test_a_broadcast_batch_axis_becomes_a_row_loop() -> None:
    shared = view.expand(access_of(1, 5, 4), (3, 5, 4))
    accesses, nest = labelled_nest(
        [(access_of(3, 2, 5), "bmk"), (shared, "bkn"), (access_of(3, 2, 4), "bmn")],
        {"b": 3, "m": 2, "n": 4, "k": 5},
    )
    assert accesses[1].shape == (5, 4)
    groups, rows, inner, columns = nest.classes(2)
    assert groups == ()
    assert [math.prod(nest.extents[d] for d in dims) for dims in (rows, inner, columns)] == [
        6,
        5,
        4,
    ]


def test_rows_that_are_not_evenly_spaced_stay_apart() -> None:
    cut = view.slice_axis(access_of(3, 4, 5), 1, 0, 2, 1)
    _, nest = labelled_nest(
        [
            (cut, ["m0", "m1", "k"]),
            (access_of(6, 5), "nk"),
            (access_of(3, 2, 6), ["m0", "m1", "n"]),
        ],
        {"m0": 3, "m1": 2, "n": 6, "k": 5},
    )
    assert nest.dims == ("m0", "m1", "n", "k")


def test_a_product_of_single_elements_still_has_a_loop() -> None:
    _, nest = labelled_nest(
        [(access_of(1, 1), "mk"), (access_of(1, 1), "kn"), (access_of(1, 1), "mn")],
        {"m": 1, "n": 1, "k": 1},
    )
    assert (nest.points, len(nest.dims)) == (1, 1)
