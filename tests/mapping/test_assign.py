"""Which engine runs what in a whole program, and what the replay makes of it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from coherence import Run
from random_programs import Program
from strategies import Sketch
from toy_machine import priced
from two_arrays import arrays

import codesign
from codesign import Engines, Residency, Result, Trace
from codesign.errors import MappingError
from codesign.hardware.spec import Hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Placement


def branches(width: int = 256) -> Trace:
    """Two products of one input, and their sum."""
    sketch = Sketch("branches")
    x = sketch.input("x", 64, width)
    a, b = sketch.matmul("a", x, width), sketch.matmul("b", x, width)
    sketch.pointwise("sum", a, b, function="add")
    return sketch.trace()


def chain(length: int = 4) -> Trace:
    sketch = Sketch("chain")
    x = sketch.input("x", 64, 256)
    for number in range(length):
        x = sketch.matmul(f"m{number}", x, 256)
    return sketch.trace()


def engines_of(placement: Placement) -> dict[str, str]:
    return {one.op.name: one.engine for one, _ in placement.assignments()}


def run(trace: Trace, hardware: Hardware, engines: Engines | str) -> Result:
    return codesign.simulate(trace, hardware, engines=engines)  # type: ignore[arg-type]


# -- policies ------------------------------------------------------------------------------------


def test_equal_branches_go_to_two_engines_and_end_earlier() -> None:
    hardware = arrays(16, 16)
    together, alone = (run(branches(), hardware, policy) for policy in ("earliest", "alone"))
    assert sorted(engines_of(together.placement)[name] for name in "ab") == ["npu0", "npu1"]
    assert {engines_of(alone.placement)[name] for name in "ab"} == {"npu0"}
    assert together.latency_s < 0.7 * alone.latency_s
    assert together.macs == alone.macs


def test_a_chain_stays_where_it_is_fastest() -> None:
    found = engines_of(run(chain(), arrays(16, 64), "earliest").placement)
    assert set(found.values()) == {"npu1"}


def test_optimal_ends_no_later_by_its_own_estimate_than_any_rules() -> None:
    hardware, trace = arrays(16, 32), branches()
    best = run(trace, hardware, "optimal").latency_s
    every = itertools.product((0, 1), repeat=3)
    rules = [
        {name: f"{kind}{n}" for name, kind, n in zip("ab", ("npu", "npu"), way, strict=False)}
        | {"sum": f"vector{way[2]}"}
        for way in every
    ]
    replayed = [run(trace, hardware, Engines(rules=rule)).latency_s for rule in rules]
    # the estimate decides, not the replay: how much that may cost is what is tested
    assert best <= 1.05 * min(replayed)
    assert min(replayed) < 0.8 * max(replayed)


def test_of_32_replays_the_choice_of_earliest_is_within_a_tenth_of_the_best() -> None:
    sketch = Sketch("five")
    x = sketch.input("x", 32, 128)
    a, b = sketch.matmul("a", x, 128), sketch.matmul("b", x, 256)
    sketch.matmul("c", a, 64)
    d = sketch.matmul("d", b, 128)
    sketch.matmul("e", d, 128)
    trace, hardware = sketch.trace(), arrays(16, 32)
    replayed = []
    for way in itertools.product((0, 1), repeat=5):
        rules = {name: f"npu{n}" for name, n in zip("abcde", way, strict=True)}
        replayed.append(run(trace, hardware, Engines(rules=rules)).latency_s)
    assert run(trace, hardware, "earliest").latency_s <= 1.1 * min(replayed)
    assert run(trace, hardware, "alone").latency_s > 1.1 * min(replayed)


def test_one_engine_for_each_operator_leaves_nothing_to_decide() -> None:
    placements = [place(branches(), arrays(16), engines=policy) for policy in ("earliest", "alone")]
    assert placements[0] == placements[1]
    assert not any(note.startswith("engines") for note in placements[0].notes)


def test_the_note_says_who_runs_how_much_and_what_it_is_worth() -> None:
    note = place(branches(), arrays(16, 16)).notes[-1]
    assert note.startswith("engines 'earliest': operators run 1 on npu")
    assert "by the plans' own estimates all ends after" in note


def test_the_same_program_is_placed_alike_again() -> None:
    for seed in range(5):
        trace = Program(seed).grow(5)
        assert place(trace, arrays(16, 32)) == place(trace, arrays(16, 32))


# -- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["earliest", "alone", "optimal"])
def test_rules_hold_under_every_policy(policy: str) -> None:
    rules = {"a": "npu1", "kind:elementwise": "vector1"}
    asked = Engines(policy, rules)  # type: ignore[arg-type]
    found = engines_of(place(branches(), arrays(16, 16), engines=asked))
    assert (found["a"], found["sum"]) == ("npu1", "vector1")


def test_a_rule_moves_no_other_operator_under_alone() -> None:
    """With rules and without, what runs where by itself is told by one measure."""
    hardware = arrays(8, 32)
    plain = engines_of(place(chain(3), hardware, engines="alone"))
    name = next(iter(plain))
    ruled = place(chain(3), hardware, engines=Engines("alone", {name: plain[name]}))
    assert engines_of(ruled) == plain


def test_a_rule_that_cannot_be_kept_is_an_error_on_hardware_without_a_choice_too() -> None:
    with pytest.raises(MappingError, match="sum must run on npu0 by a rule, which does not take"):
        place(branches(), arrays(16), engines=Engines(rules={"*": "npu0"}))


def test_a_wrong_policy_is_told_before_a_model_is_captured() -> None:
    with pytest.raises(MappingError, match="engines must be a policy"):
        codesign.simulate("no such model", arrays(16), engines="best")  # type: ignore[arg-type]


def test_an_engine_that_is_a_process_runs_only_what_no_plan_can() -> None:
    """Its time is known to nobody before the replay."""
    slow = priced("slow", contraction=10**9, elementwise=10**9)
    hardware = arrays(16)
    mixed = {**hardware.components, "slow": replace(slow, buffer="sram0")}
    found = engines_of(place(branches(), Hardware("mixed", "", None, mixed)))
    assert "slow" not in found.values()


# -- pieces --------------------------------------------------------------------------------------


def test_an_operator_on_two_equal_engines_takes_little_more_than_half_the_time() -> None:
    hardware = arrays(16, 16, bandwidth=64e9)
    whole, halves = (run(chain(), hardware, Engines(split=split)) for split in (False, True))
    assert halves.macs == whole.macs
    # half the weights leave more room for tiles than a second buffer has by itself
    assert 0.45 * whole.latency_s < halves.latency_s < 0.65 * whole.latency_s
    names = {one.op.name: one.engine for one, _ in halves.placement.assignments()}
    assert names["m0[0:128]"] != names["m0[128:256]"]


def test_who_reads_a_result_waits_for_all_of_its_pieces() -> None:
    result = run(chain(2), arrays(16, 64), Engines(split=True))
    spans = {span.assignment.op.name: span for span in result.replay.spans}
    first = [span for name, span in spans.items() if name.startswith("m0")]
    second = [span for name, span in spans.items() if name.startswith("m1")]
    assert len(first) == len(second) == 2
    assert min(span.end for span in second) > max(span.end for span in first)
    # side by side: neither of the first two waits for the other
    assert max(span.start for span in first) < min(span.end for span in first)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_in_pieces_read_what_was_written_where_it_was_written(seed: int) -> None:
    trace, hardware = Program(seed).grow(5), arrays(16, 32)
    placement = place(trace, hardware, "greedy", Engines(split=True))
    assert not Run(placement, hardware).trouble
    assert run(trace, hardware, Engines(split=True)).macs == run(trace, hardware, "alone").macs


def test_what_is_carried_from_step_to_step_is_computed_whole() -> None:
    """It changes hands under one name, so pieces of it would run one after the other."""
    sketch = Sketch("layer")
    sketch.recurrent("layer", sketch.input("x", 6, 128), 128)
    trace = sketch.trace()
    placement = place(trace, arrays(16, 16), engines=Engines(split=True))
    carried = {
        tensor.name
        for carry in trace.regions[0].carries
        for tensor in (carry.initial, carry.state, carry.update)
        if tensor is not None
    }
    for one, _ in placement.assignments():
        if carried.intersection(access.tensor.name for access in one.op.operands):
            assert one.piece == (0, 1)


def test_layers_in_a_row_are_not_thought_to_run_at_once() -> None:
    """A recurrent layer needs all of the layer before: two engines gain little by it."""
    sketch = Sketch("layers")
    y = sketch.recurrent("first", sketch.input("x", 16, 64), 64)
    sketch.recurrent("second", y, 64)
    trace, hardware = sketch.trace(), arrays(16, 16)
    together, alone = (run(trace, hardware, policy) for policy in ("earliest", "alone"))
    assert together.latency_s <= 1.02 * alone.latency_s
    assert together.energy_j <= 1.02 * alone.energy_j


def test_a_split_operator_stays_split_where_part_of_a_weight_may_stay() -> None:
    shared = arrays(16)
    second = replace(shared.components["npu0"], name="npu1")
    hardware = Hardware("shared", "", None, {**shared.components, "npu1": second})
    for residency in (
        Residency("greedy", partial=True, across_runs=True),
        Residency("pinned", ("m*.weight",), partial=True),
    ):
        placement = place(chain(2), hardware, residency, Engines(split=True))
        used = {one.engine for one, _ in placement.assignments() if one.op.macs}
        pieces = {one.piece[1] for one, _ in placement.assignments() if one.op.macs}
        told = any("several at once" in note for note in placement.notes)
        assert told == (pieces == {2})
        assert not told or used == {"npu0", "npu1"}


def test_nothing_to_split_is_told() -> None:
    notes = place(branches(), arrays(16), engines=Engines(split=True)).notes
    assert notes[-1] == "no operator is split: one engine only takes each"
