"""Time of a product: equal steps, one for each input slice, row group and shared column."""

from __future__ import annotations

import numpy as np
import pytest
from codesign_plugins.cim.nvm_timing import Step, row_groups, slices
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import ARRAY, BUFFERS, STEP, array

POWERS = st.sampled_from([1, 2, 4, 8])


@pytest.mark.parametrize(
    ("bits", "each", "parts"), [(8, 1, 8), (8, 2, 4), (9, 2, 5), (1, 1, 1), (3, 8, 1)]
)
def test_a_word_is_cut_into_parts_the_last_of_which_may_be_shorter(
    bits: int, each: int, parts: int
) -> None:
    assert slices(bits, each) == parts


@pytest.mark.parametrize(
    ("rows", "together", "groups"), [(256, 128, 2), (252, 128, 2), (128, 128, 1), (27, 128, 1)]
)
def test_rows_are_read_in_groups_the_last_of_which_may_be_smaller(
    rows: int, together: int, groups: int
) -> None:
    assert row_groups(rows, together) == groups


def test_a_step_is_the_sum_of_its_parts() -> None:
    assert STEP.seconds == pytest.approx(18e-9, rel=1e-12)


def test_a_step_has_a_read_pulse_of_ten_nanoseconds_unless_said_otherwise() -> None:
    assert Step(adc_s=0.0).seconds == 10e-9


def test_passes_are_slices_times_groups_times_columns_that_share() -> None:
    assert ARRAY.passes(8) == 8 * 2 * 8
    assert ARRAY.passes(1) == 1 * 2 * 8
    assert array(dac_bits=2, is_clipped=True).passes(8) == 4 * 2 * 8
    assert array(rows_read=128, is_clipped=True).passes(8) == 8 * 1 * 8
    assert array(columns_per_adc=1).passes(8) == 8 * 2 * 1


def test_passes_times_the_clock_is_the_time_of_a_product() -> None:
    found = ARRAY.passes(8) * ARRAY.clock_s
    assert found == pytest.approx(8 * 2 * 8 * 18e-9, rel=1e-12)


def test_what_a_product_takes_beside_its_steps_comes_once() -> None:
    slow = array(product_s=70e-9)
    found = slow.passes(8) * slow.clock_s
    assert found == pytest.approx(8 * 2 * 8 * 18e-9 + 70e-9, rel=1e-12)


def test_buffers_take_their_words_one_after_the_other() -> None:
    # 128 inputs of 8 bits are 16 words in and 16 out; 128 sums of 11 bits are 22, written and read
    with_words = array(buffers=BUFFERS)
    found = with_words.passes(8) * with_words.clock_s
    assert found == pytest.approx(8 * 2 * 8 * 18e-9 + (16 + 16 + 2 * 22) * 1e-9, rel=1e-12)


def test_fewer_activation_bits_never_take_longer() -> None:
    slow = array(product_s=70e-9)
    seconds = [float(slow.passes(bits) * slow.clock_s) for bits in range(1, 9)]
    assert seconds == sorted(seconds)
    assert len(set(seconds)) == 8


@given(
    dac_bits=st.sampled_from([1, 2, 4]),
    together=st.sampled_from([16, 32, 64]),
    shared=POWERS,
    bits=st.integers(1, 8),
)
def test_time_is_at_least_slices_times_the_conversion(
    dac_bits: int, together: int, shared: int, bits: int
) -> None:
    found = array(dac_bits=dac_bits, rows_read=together, columns_per_adc=shared, is_clipped=True)
    seconds = float(found.passes(bits) * found.clock_s)
    assert seconds >= float(slices(bits, dac_bits)) * 5e-9
    assert seconds >= float(found.passes(bits)) * 18e-9 * (1 - 1e-12)


@given(shared=POWERS)
def test_sharing_a_converter_takes_as_many_times_longer_and_as_many_times_fewer_of_them(
    shared: int,
) -> None:
    alone, sharing = array(columns_per_adc=1), array(columns_per_adc=shared)
    assert sharing.passes(8) == shared * alone.passes(8)
    assert sharing.converters * shared == alone.converters


@given(factor=st.floats(0.1, 10.0))
def test_time_scales_with_the_parts_of_a_step(factor: float) -> None:
    scaled = Step(
        dac_s=STEP.dac_s * factor,
        read_s=STEP.read_s * factor,
        adc_s=STEP.adc_s * factor,
        digital_s=STEP.digital_s * factor,
    )
    assert array(step=scaled).clock_s == pytest.approx(factor * ARRAY.clock_s, rel=1e-12)


def test_arrays_of_designs_give_each_its_own_time() -> None:
    shared = np.array([1, 2, 4, 8])
    reads = np.array([10e-9, 20e-9, 5e-9, 10e-9])
    many = array(columns_per_adc=shared, step=Step(read_s=reads, adc_s=5e-9))
    single = [
        array(columns_per_adc=int(m), step=Step(read_s=float(read), adc_s=5e-9))
        for m, read in zip(shared, reads, strict=True)
    ]
    assert np.array_equal(many.passes(8), [one.passes(8) for one in single])
    assert np.allclose(many.clock_s, [one.clock_s for one in single], rtol=1e-14, atol=0)
