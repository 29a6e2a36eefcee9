"""Words that go through the buffers of a macro, each counted in every buffer that spends on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from codesign_plugins.cim.nvm_buffers import Buffers
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import BUFFERS

BITS = st.integers(1, 10_000)


@pytest.mark.parametrize(("bits", "words"), [(1, 1), (64, 1), (65, 2), (2304, 36)])
def test_bits_move_in_whole_words(bits: int, words: int) -> None:
    counts = BUFFERS.counts(bits, 0)
    assert counts == {"buffer read": words, "buffer write": words}


def test_inputs_and_sums_both_pass_through() -> None:
    # 3 words of inputs and 2 of sums, each written once and read once
    assert BUFFERS.counts(192, 128) == {"buffer read": 5, "buffer write": 5}


def test_every_cell_array_has_its_inputs_and_output_buffers_share_the_sums() -> None:
    eight = replace(BUFFERS, inputs=8, outputs=2)
    # 3 words in each of eight, and 2 words of half the sums in each of two
    assert eight.counts(192, 256) == {"buffer read": 8 * 3 + 2 * 2, "buffer write": 8 * 3 + 2 * 2}


def test_an_input_that_is_read_nine_times_is_written_once() -> None:
    taps = replace(BUFFERS, reuse=9.0)
    counts = taps.counts(9 * 64, 0)
    assert counts == {"buffer read": 9, "buffer write": 1}


def test_buffers_that_are_powered_together_all_pay_for_every_word() -> None:
    together = replace(BUFFERS, inputs=8, outputs=2, is_powered_together=True)
    assert together.counts(192, 256) == {"buffer read": 10 * (3 + 2), "buffer write": 10 * (3 + 2)}


@given(inputs=BITS, outputs=BITS)
def test_powered_together_never_costs_less(inputs: int, outputs: int) -> None:
    alone = replace(BUFFERS, inputs=4, outputs=2)
    together = replace(alone, is_powered_together=True)
    for action, count in alone.counts(inputs, outputs).items():
        assert together.counts(inputs, outputs)[action] >= count


@given(inputs=BITS, outputs=BITS)
def test_time_is_that_of_the_words_of_one_buffer_of_each_kind(inputs: int, outputs: int) -> None:
    words = -(-inputs // 64), -(-outputs // 64)
    expected = (2 * words[0] + 2 * words[1]) * 1e-9
    assert BUFFERS.seconds(inputs, outputs) == pytest.approx(expected, rel=1e-12)
    many = replace(BUFFERS, inputs=8, is_powered_together=True)
    assert many.seconds(inputs, outputs) == BUFFERS.seconds(inputs, outputs)


def test_buffers_whose_time_is_hidden_add_none() -> None:
    assert replace(BUFFERS, word_s=0.0).seconds(1000, 1000) == 0


def test_arrays_of_designs_give_each_its_own_words() -> None:
    many = Buffers(word_bits=np.array([32, 64]), read_j=1e-12, write_j=1e-12)
    counts = many.counts(np.array([64, 65]), 0)
    assert np.array_equal(counts["buffer read"], [2, 2])
