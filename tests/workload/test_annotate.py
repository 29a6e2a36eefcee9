"""Bit widths, zeros and codecs that a user declares."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import Sketch

from codesign import Trace, annotate, load_trace, save_trace, simulate
from codesign.annotation_file import read_annotations
from codesign.errors import CodesignError, TraceError
from codesign.testing import gather
from codesign.workload.annotate import Annotation, find_format, with_annotations
from codesign.workload.check import check_trace
from codesign.workload.dtype import DType
from codesign.workload.retensor import with_tensors
from codesign.workload.sparsity import Sparsity


def network() -> Trace:
    """Two layers in an encoder, one behind it, all in fp32."""
    s = Sketch("net", DType.parse("fp32"))
    x = s.input("x", 4, 64)
    x = s.matmul("encoder.0", x, 64)
    x = s.pointwise("encoder.relu", x)
    s.matmul("head", s.matmul("encoder.1", x, 64), 32)
    return s.trace()


def weights(trace: Trace) -> dict[str, Any]:
    ops = [op for op, _ in trace.ops() if op.kind == "contraction"]
    return {op.name: op.inputs[1].tensor for op in ops}


def test_bits_go_to_the_weights_of_the_operators_that_match() -> None:
    found = weights(annotate(network(), "encoder.*", weight_bits=4))
    assert {name: str(one.dtype) for name, one in found.items()} == {
        "encoder.0": "int4",
        "encoder.1": "int4",
        "head": "fp32",
    }


def test_activations_that_the_operators_read_get_theirs() -> None:
    trace = annotate(network(), "encoder.*", activation_bits=8)
    formats = {op.name: [str(a.tensor.dtype) for a in op.operands] for op, _ in trace.ops()}
    assert formats["encoder.0"] == ["int8", "fp32", "int8"]  # relu reads what it writes
    assert formats["head"] == ["fp32", "fp32", "fp32"]


def test_zeros_and_a_codec_change_what_is_stored_and_nothing_else() -> None:
    plain = annotate(network(), "*", weight_bits=8)
    trace = annotate(plain, "encoder.0", sparsity="0.3", codec="bitmap")
    one, other = weights(trace)["encoder.0"], weights(trace)["encoder.1"]
    assert one.sparsity is not None
    assert one.sparsity.share == 0.3
    assert float(one.stored.bits) == pytest.approx(3.4, abs=8 / 4096)  # whole elements
    assert (other.sparsity, other.stored) == (None, None)
    assert trace.parameter_bytes == plain.parameter_bytes - 64 * 64 + one.bytes
    assert one.bytes == pytest.approx(0.425 * 64 * 64, abs=2)
    assert trace.macs == plain.macs
    check_trace(trace)


def test_what_is_declared_is_noted_and_survives_a_file(tmp_path: Path) -> None:
    trace = annotate(network(), "encoder.*", weight_bits=4, sparsity="2:4 axis 0", codec="2:4")
    assert trace.notes[-1] == (
        "declared, not measured: weight_bits=4, sparsity=2:4 axis 0, codec=2:4 for 2 operators "
        "matching encoder.*"
    )
    save_trace(trace, tmp_path / "t.json")
    assert load_trace(tmp_path / "t.json") == trace
    assert trace.digest != annotate(network(), "encoder.*", weight_bits=4).digest


def test_a_later_annotation_adds_to_an_earlier_one() -> None:
    both = with_annotations(
        network(),
        (Annotation("*", weight_bits=8), Annotation("head", sparsity="0.5", codec="bitmap")),
    )
    head = weights(both)["head"]
    assert (str(head.dtype), head.stored.bits) == ("int8", Fraction(5))
    assert str(weights(both)["encoder.0"].dtype) == "int8"


def test_a_codec_follows_a_later_change_of_format() -> None:
    trace = annotate(network(), "head", sparsity="0.5", codec="bitmap")
    assert weights(trace)["head"].stored.bits == 17
    assert weights(annotate(trace, "head", weight_bits=8))["head"].stored.bits == 5


def test_the_codec_dense_takes_a_codec_away() -> None:
    trace = annotate(annotate(network(), "*", codec="codebook4"), "head", codec="dense")
    assert weights(trace)["head"].stored is None
    assert weights(trace)["encoder.0"].stored.codec == "codebook4"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"sparsity": "0.5", "codec": "bitmap"}, {"sparsity": "0.1"}),
        ({"codec": "codebook4"}, {"weight_bits": 6}),
        ({"sparsity": "0.5", "codec": "bitmap"}, {"weight_dtype": "int4[64x16]"}),
        ({"weight_dtype": "int4[64x16]", "codec": "rle4"}, {"weight_bits": 8}),
    ],
)
def test_a_codec_follows_what_is_said_of_its_tensor_later(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    trace = annotate(network(), "head", weight_bits=8)
    if "weight_dtype" in first:
        trace = network()
    later = annotate(annotate(trace, "head", **first), "head", **then)
    known = {**({} if "weight_bits" in first else {"weight_bits": 8}), **first, **then}
    known.pop("weight_bits" if "weight_dtype" in then else "weight_dtype", None)
    assert weights(later)["head"] == weights(annotate(network(), "head", **known))["head"]


def test_a_codec_that_cannot_hold_what_is_said_later_is_told() -> None:
    trace = annotate(network(), "head", sparsity="2:4", codec="2:4")
    with pytest.raises(TraceError, match=r"codec '2:4': its zeros must be 2:4, they are '0\.9'"):
        annotate(trace, "head", sparsity="0.9")


def test_a_codec_of_floats_is_not_carried_into_blocks() -> None:
    trace = annotate(network(), "head", sparsity="0.5", codec="bitmap")
    with pytest.raises(TraceError, match="annotate the format and the codec together"):
        simulate(trace, "edge-npu", dtype="int8[32x16]")


def test_lookups_have_weights_too() -> None:
    op = gather(100, 7, 16)
    trace = Trace("t", (op,), tuple(access.tensor for access in op.operands))
    ((found, _),) = annotate(trace, "*", weight_bits=4).ops()
    assert [str(access.tensor.dtype) for access in found.operands] == ["int4", "int32", "int8"]
    assert found.attribute("row_bytes") == 8


def test_zeros_that_were_read_must_keep_to_a_pattern_that_is_declared() -> None:
    trace = network()
    kept = np.random.default_rng(0).random((64, 64)) < 0.5
    head = next(op for op, _ in trace.ops() if op.name == "encoder.0")
    weight = head.inputs[1].tensor
    known = with_tensors(trace, {weight.name: replace(weight, sparsity=Sparsity.of(kept))})
    with pytest.raises(TraceError, match=r"must follow 2:4, but only 6[89]"):
        annotate(known, "encoder.0", sparsity="2:4")
    kept[:] = [[True, True, False, False] * 16] * 64
    known = with_tensors(trace, {weight.name: replace(weight, sparsity=Sparsity.of(kept))})
    found = weights(annotate(known, "encoder.0", sparsity="2:4"))["encoder.0"].sparsity
    assert (found.granularity, found.share, found.n, found.m) == ("n:m", 0.5, 2, 4)


@pytest.mark.parametrize(
    ("pattern", "said", "message"),
    [
        ("encodr.*", {"weight_bits": 4}, "matches no operator; did you mean 'encoder.1'?"),
        ("encoder.relu", {"weight_bits": 4}, "matches 1 operators without weights of two axes"),
        ("*", {}, "must say something; give for example weight_bits=4"),
        ("*", {"weight_bits": 0}, "weight_bits must be a whole number from 1 to 128, got 0"),
        ("*", {"activation_bits": 4.5}, "activation_bits must be a whole number from 1 to 128"),
        ("*", {"weight_bits": 4, "weight_dtype": "int4"}, "both say how wide a number is"),
        ("*", {"weight_dtype": "int"}, "*: weight_dtype: unknown dtype 'int'"),
        ("head", {"activation_dtype": "f"}, "head: activation_dtype: unknown dtype 'f'"),
        ("*", {"sparsity": "1.5"}, "*: sparsity: density must be 0 to 1, got 1.5"),
        ("*", {"activation_sparsity": "half"}, "*: activation_sparsity: unknown sparsity 'half'"),
        ("head", {"sparsity": "2:4 axis 5"}, "head: sparsity: tensor 'head.weight'"),
        ("*", {"codec": "bitmpa"}, "*: codec: unknown codec 'bitmpa'; did you mean 'bitmap'?"),
        ("*", {"codec": "2:4"}, "codec '2:4': its zeros must be 2:4, none are declared"),
        ("*", {"codec": ""}, "*: codec must not be empty; leave it out"),
        ("*", {"codec": 4}, "codec must be a text, got 4"),
        (5, {"weight_bits": 4}, "pattern must be a text, got 5"),
        ("*", {"weight_dtype": "bool"}, "*: weight_dtype: must be of numbers, got bool"),
    ],
)
def test_a_mistake_is_one_line(pattern: str, said: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesignError) as caught:
        annotate(network(), pattern, **said)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_says_the_same_as_its_content(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text('"encoder.*": {weight_bits: 4, sparsity: "2:4"}\nhead: {codec: bitmap}\n')
    content: dict[str, dict[str, object]]
    content = {"encoder.*": {"weight_bits": 4, "sparsity": "2:4"}, "head": {"codec": "bitmap"}}
    assert read_annotations(file) == read_annotations(str(file)) == read_annotations(content)
    assert read_annotations(content) == (
        Annotation("encoder.*", weight_bits=4, sparsity="2:4"),
        Annotation("head", codec="bitmap"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must give annotations by operator name"),
        ("head: 4", "a.yaml:1: head: must be a map that says something, got 4"),
        ("head: {weight_bit: 4}", "unknown key 'weight_bit'; did you mean 'weight_bits'?"),
        ("head: {codec: 4}", "codec must be a text, got 4"),
        ("\nhead: {weight_bits: 0}", "a.yaml:2: head: weight_bits must be a whole number"),
        ('head: {sparsity: "-0.3"}', "a.yaml:1: head: sparsity: density must be 0 to 1, got -0.3"),
        ("head: {weight_dtype: in4}", "a.yaml:1: head: weight_dtype: unknown dtype 'in4'"),
    ],
)
def test_a_mistake_in_a_file_names_the_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(TraceError) as caught:
        read_annotations(file)
    assert message in str(caught.value)


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.yaml"):
        read_annotations(tmp_path / "none.yaml")
    with pytest.raises(TraceError, match="must be the path of a file or its content, got 4"):
        read_annotations(4)  # type: ignore[arg-type]
    with pytest.raises(TraceError, match=r"is a folder; name a \.yaml file in it"):
        read_annotations(tmp_path)
    with pytest.raises(TraceError, match=r"annotations must say something, got \{\}"):
        read_annotations({})


def test_a_mistake_that_only_the_model_shows_names_the_line_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    for text in ('"*": {sparsity: "2:4 axis 5"}', "hed: {weight_bits: 4}", "head: {codec: zip}"):
        file.write_text(f"# first\n{text}\n")
        with pytest.raises(TraceError, match=r"a\.yaml:2: (\*: s|the annotation 'h|head: c)"):
            simulate(network(), "edge-npu", annotations=file)


def test_only_a_trace_is_annotated() -> None:
    with pytest.raises(TraceError, match=r"only a trace can be annotated, got str"):
        annotate("gpt2", "*", weight_bits=4)  # type: ignore[arg-type]


def test_simulate_takes_what_annotate_takes() -> None:
    said = {"*": {"weight_bits": 8, "sparsity": "0.3", "codec": "bitmap"}}
    settings = {"bus.decode_rate": {"bitmap": 16e9}, "bus.decode_energy": {"bitmap": "0.1 pJ"}}
    ways = simulate(network(), "edge-npu", annotations=said, settings=settings)
    declared = annotate(network(), "*", weight_bits=8, sparsity="0.3", codec="bitmap")
    assert simulate(declared, "edge-npu", settings=settings).digest == ways.digest
    assert ways.offchip_bytes["weight"] < simulate(network(), "edge-npu").offchip_bytes["weight"]
    assert any("declared, not measured" in note for note in ways.assumptions)


def test_a_codec_is_found_by_name() -> None:
    assert find_format("bitmap").description
