"""Sparsity as it is declared, checked against a tensor, and read from values and files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from density_case import shapes
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import Bernoulli, Dense, Hypergeometric
from codesign.workload.density_fixed import Fixed
from codesign.workload.density_groups import Block, Channels
from codesign.workload.density_places import Banded
from codesign.workload.sparsity import Sparsity

SHARE = st.floats(0, 1)
COUNT = st.integers(1, 99)
WHERE = st.one_of(st.just(""), st.integers(-9, 9).map(" axis {}".format))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Any declaration, in any of its forms."""
    n, m = sorted((draw(COUNT), draw(COUNT)))
    share, where = draw(SHARE), draw(WHERE)
    forms = ["dense", f"{share}", f"{n} of {m}", f"{n}:{m}{where}", f"band {n}"]
    forms += [f"block {n}x{m} {share}", f"channel {share}{where}"]
    return draw(st.sampled_from(forms))


@given(texts())
def test_a_declaration_is_read_back_from_its_text(text: str) -> None:
    sparsity = Sparsity.parse(text)
    assert Sparsity.parse(str(sparsity)) == sparsity
    assert hash(Sparsity.parse(str(sparsity))) == hash(sparsity)


@given(texts())
def test_the_text_of_a_declaration_is_settled(text: str) -> None:
    settled = str(Sparsity.parse(text))
    assert str(Sparsity.parse(settled)) == settled


@given(texts(), shapes())
def test_what_fits_a_tensor_says_the_same_of_it_after_a_file(
    text: str, shape: tuple[int, ...]
) -> None:
    try:
        bound = Sparsity.parse(text).on(shape, "w")
    except TraceError:
        return
    again = Sparsity.from_json(json.loads(json.dumps(bound.to_json()))).on(shape, "w")
    assert again == bound
    assert bound.on(shape, "w") == bound
    assert again.share == bound.share


@pytest.mark.parametrize(
    ("text", "sparsity"),
    [
        ("dense", Sparsity("element", Dense())),
        ("0.3", Sparsity("element", Bernoulli(0.3))),
        ("1", Sparsity("element", Bernoulli(1.0))),
        ("1e-3", Sparsity("element", Bernoulli(0.001))),
        ("30 of 100", Sparsity("element", Hypergeometric(30, 100))),
        ("2:4", Sparsity("n:m", Fixed(2, 4), n=2, m=4)),
        ("2:4 axis 1", Sparsity("n:m", Fixed(2, 4), axis=1, n=2, m=4)),
        ("  1:8   axis  -2 ", Sparsity("n:m", Fixed(1, 8), axis=-2, n=1, m=8)),
        ("block 4x8 0.25", Sparsity("block", Block(4, 8, 0.25), block=(4, 8))),
        ("channel 0.5", Sparsity("channel", Channels(0.5))),
        ("channel 0.5 axis 0", Sparsity("channel", Channels(0.5), axis=0)),
        ("band 8", Sparsity("band", Banded(8))),
    ],
)
def test_every_form_says_what_it_says(text: str, sparsity: Sparsity) -> None:
    assert Sparsity.parse(text) == sparsity


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("1", "1.0"),
        ("1e-3", "0.001"),
        ("2:4 axis -1", "2:4"),
        ("block 4x8 .25", "block 4x8 0.25"),
        ("channel 0.50 axis -1", "channel 0.5"),
        ("2:4 axis 0", "2:4 axis 0"),
    ],
)
def test_a_declaration_has_one_text(text: str, settled: str) -> None:
    assert str(Sparsity.parse(text)) == settled


def test_a_share_may_be_a_number() -> None:
    assert Sparsity.parse(0.3) == Sparsity.parse("0.3")
    assert Sparsity.parse(np.float64(0.3)) == Sparsity.parse("0.3")
    assert str(Sparsity("element", Bernoulli(np.float64(0.3)))) == "0.3"


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("dense", 1),
        ("0.3", 0.3),
        ("30 of 100", 0.3),
        ("2:4", 0.5),
        ("block 4x4 0.25", 0.25),
        ("channel 0.75", 0.75),
    ],
)
def test_the_share_is_what_is_not_zero(text: str, share: float) -> None:
    assert Sparsity.parse(text).share == pytest.approx(share)


@pytest.mark.parametrize(
    "text",
    [
        *("", "dnese", "2:", ":4", "2:4:8", "2:4 1", "2:4 axis", "2:4 axis x", "a:b", "2.5:4"),
        *("block 4 0.25", "block 4x 0.25", "block 4x4", "block 4x4x4 0.5", "channel", "channel x"),
        *("channel 0.5 axis", "band", "band x", "band 1.5", "30 of", "30 of x", "0.3 0.4", "None"),
        *("0.5_0", "2:4 axis 1_0", "1_0 of 100", "band \u0664", "\u0660.5", "block 4_0x4 0.5"),
    ],
)
def test_what_is_no_sparsity_is_refused_in_one_line_that_lists_the_forms(text: str) -> None:
    with pytest.raises(TraceError) as refused:
        Sparsity.parse(text)
    message = str(refused.value)
    assert message.startswith(f"unknown sparsity {text!r}; write 'dense', the share that is not")
    assert "'2:4 axis 1'" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.2", "density must be 0 to 1, got 1.2; write the share that is not zero"),
        ("-0.1", "density must be 0 to 1, got -0.1"),
        ("nan", "density must be 0 to 1, got nan"),
        ("channel 2", "density must be 0 to 1, got 2.0"),
        ("block 4x4 70", "density must be 0 to 1, got 70.0"),
        ("4:2", "n:m must keep at least 1 and at most m of m, got 4:2; write for example 2:4"),
        ("0:4", "at most m of m, got 0:4"),
        ("block 0x4 0.5", "at least 1 row and 1 column, got 0x4"),
        ("band -1", "at least 0 elements from the diagonal, got -1"),
        ("5 of 4", "got 5 of 4"),
    ],
)
def test_numbers_that_break_a_rule_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(TraceError) as refused:
        Sparsity.parse(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_of_four_without_quotes_in_yaml_is_124_and_the_error_says_quotes() -> None:
    import yaml

    read = yaml.safe_load("sparsity: 2:4")["sparsity"]
    assert read == 124
    with pytest.raises(TraceError, match=r"got 124\.0; .* a pattern such as '2:4' in quotes"):
        Sparsity.parse(read)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("2:4 axis 2", (8, 8), "axis 2 of a tensor of shape [8, 8]; take -2 to 1"),
        ("2:4 axis -3", (8, 8), "axis -3 of a tensor of shape [8, 8]; take -2 to 1"),
        ("channel 0.5 axis 4", (8, 4, 3, 3), "axis 4 of a tensor of shape [8, 4, 3, 3]; take -4"),
        (
            "2:4",
            (8, 3),
            "along axis 1 of [8, 3], which is shorter than a group of 4; name the axis",
        ),
        ("2:4", (64, 64, 3, 3), "shorter than a group of 4; name the axis, e.g. '2:4 axis 1'"),
        ("1:8 axis 0", (4, 4), "is shorter than a group of 8; declare its density"),
        ("2:4", (), "names axis -1 of a tensor of shape []; a scalar has none"),
        ("block 16x4 0.5", (8, 8), "has blocks larger than the tensor [8, 8]"),
        ("band 8", (8, 8), "reaches off the tensor [8, 8]"),
        ("30 of 100", (8, 8), "counts 100 elements, but [8, 8] has 64"),
    ],
)
def test_what_does_not_fit_the_tensor_is_refused_in_one_line(
    text: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(TraceError) as refused:
        Sparsity.parse(text).check(shape, "fc.weight")
    assert str(refused.value).startswith(f"tensor 'fc.weight': sparsity {text!r} ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["dense", "0.3", "1 of 1", "block 1x1 0.5"])
def test_what_lies_along_no_axis_fits_a_scalar(text: str) -> None:
    Sparsity.parse(text).check((), "scale")


def refusal(call: Callable[..., object], *arguments: object) -> str:
    """What a call complains about; empty if it does not."""
    try:
        call(*arguments)
    except TraceError as error:
        return str(error)
    return ""


@given(texts(), shapes(least=0))
def test_a_check_refuses_what_cannot_be_bound_and_nothing_else(
    text: str, shape: tuple[int, ...]
) -> None:
    sparsity = Sparsity.parse(text)
    found = refusal(sparsity.check, shape, "w")
    assert found == refusal(sparsity.on, shape, "w")
    assert not found or found.startswith("tensor 'w': sparsity ")
    assert "\n" not in found


def test_the_last_axis_is_one_thing_by_either_name() -> None:
    assert Sparsity.parse("2:4 axis 1").on((8, 8), "w") == Sparsity.parse("2:4").on((8, 8), "w")
    assert Sparsity.parse("2:4 axis -2").on((8, 8), "w") == Sparsity.parse("2:4 axis 0").on(
        (8, 8), "w"
    )
    assert Sparsity.parse("2:4 axis 1").on((8, 8), "w").axis == -1


def test_a_bound_pattern_knows_how_its_groups_lie() -> None:
    bound = Sparsity.parse("2:4 axis 0").on((64, 64), "w")
    assert bound.density.prob_empty((1, 4)) == pytest.approx(1 / 16)
    assert bound.density.prob_empty((4, 1)) == 0
    assert str(bound) == "2:4 axis 0"


def test_a_bound_band_has_a_share() -> None:
    assert Sparsity.parse("band 0").on((64, 64), "w").share == 1 / 64


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"granularity": "elements"}, "unknown granularity 'elements'; did you mean 'element'?"),
        ({"granularity": "n:m"}, "n:m must keep 1 to m of m, got 0:0"),
        ({"granularity": "n:m", "n": 4, "m": 2}, "n:m must keep 1 to m of m, got 4:2"),
        ({"granularity": "block"}, "a block must have 1 row and 1 column or more, got (0, 0)"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError) as refused:
        Sparsity(density=Dense(), **fields)
    assert str(refused.value).startswith(message)
