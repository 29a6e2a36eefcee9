"""Capture of whole modules: MACs, roles, ties, module paths, and what is left untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch_case import Call, Named, captured, cnn, counted_macs, meta, on_meta, ops

from codesign.errors import CaptureError
from codesign.workload.capture import export, load_pt2, trace, trace_exported


def _encoder() -> Any:
    layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def _products() -> Any:
    def forward(_: Any, a: Any, b: Any, c: Any) -> Any:
        scores = torch.einsum("bhmk,bhnk->bhmn", a, b)
        mixed = torch.einsum("...ij,kj->...ik", scores, c)
        chained = torch.einsum("bhmk,nk,no->bhmo", a, c, c)
        return torch.bmm(mixed[0], b[0].mT), chained @ c, torch.baddbmm(a[0], a[0], a[0])

    return Call(forward)


CASES: dict[str, tuple[Callable[[], Any], list[tuple[int, ...]]]] = {
    "cnn": (cnn, [(2, 8, 16, 16)]),
    "encoder layer": (lambda: nn.TransformerEncoderLayer(64, 4, 128), [(10, 2, 64)]),
    "decoder layer": (
        lambda: nn.TransformerDecoderLayer(64, 4, 128, batch_first=True),
        [(2, 5, 64), (2, 10, 64)],
    ),
    "encoder": (_encoder, [(2, 64, 256)]),
    "einsum and bmm": (_products, [(2, 4, 4, 4), (2, 4, 4, 4), (4, 4)]),
    "one-dimensional": (
        lambda: nn.Sequential(nn.Conv1d(6, 4, 3, dilation=2), nn.ConvTranspose1d(4, 8, 4, 2)),
        [(2, 6, 20)],
    ),
    "three-dimensional": (lambda: nn.Conv3d(2, 4, 3, stride=2, padding=1), [(1, 2, 5, 6, 7)]),
}


@pytest.mark.parametrize("name", CASES)
def test_macs_equal_what_torch_counts_on_the_meta_device(name: str) -> None:
    build, shapes = CASES[name]
    module, args = on_meta(build), [meta(*shape) for shape in shapes]
    found = captured(module, *args)
    assert found.macs == counted_macs(module, *args) > 0
    assert found.coverage.share == 1.0


def test_the_transformer_encoder_of_the_reference_table_costs_its_flops() -> None:
    found = captured(on_meta(_encoder), meta(2, 64, 256))
    assert 2 * found.macs == 419_430_400
    assert (found.parameters, found.parameter_bytes) == (1_579_520, 6_318_080)


@pytest.mark.parametrize("name", ["cnn", "encoder"])
def test_a_trace_does_not_depend_on_where_the_model_lives(name: str) -> None:
    build, shapes = CASES[name]
    placed = captured(build(), *(torch.zeros(shape) for shape in shapes))
    away = captured(on_meta(build), *(meta(*shape) for shape in shapes))
    assert placed.tensors == away.tensors
    assert [(op.name, op.content) for op in ops(placed)] == [
        (op.name, op.content) for op in ops(away)
    ]


def test_capture_leaves_weights_and_training_mode_alone() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.BatchNorm1d(4))
    module.train()
    module[2].eval()
    before = {name: (id(t), t.clone()) for name, t in module.state_dict(keep_vars=True).items()}
    captured(module, torch.zeros(2, 4))
    assert [m.training for m in module] == [True, True, False]
    assert module.training
    for name, tensor in module.state_dict(keep_vars=True).items():
        assert id(tensor) == before[name][0]
        assert torch.equal(tensor, before[name][1])


def test_example_arguments_may_lie_on_another_device_than_the_model() -> None:
    module = on_meta(lambda: nn.Linear(4, 3))
    assert captured(module, torch.zeros(2, 4)).macs == 24
    assert captured(nn.Linear(4, 3), meta(2, 4)).macs == 24


def test_roles_come_from_the_signature() -> None:
    found = captured(on_meta(cnn), meta(2, 8, 16, 16))
    roles = {t.name: t.role for t in found.tensors}
    assert roles["0.weight"] == "weight"
    assert roles["1.running_mean"] == "constant"
    assert roles["input"] == "input"
    assert [t.shape for t in found.tensors if t.role == "output"] == [(2, 3)]
    assert "1.num_batches_tracked" not in roles, "nothing reads it"


def test_tied_weights_are_stored_once() -> None:
    def build() -> Any:
        embedding, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
        head.weight = embedding.weight
        return nn.Sequential(embedding, head)

    for module, ids in (
        (on_meta(build), meta(1, 3, dtype=torch.long)),
        (build(), torch.zeros(1, 3, dtype=torch.long)),
    ):
        found = captured(module, ids)
        assert found.parameters == 40
        assert [op.inputs[i].tensor.name for i, op in enumerate(ops(found))] == ["0.weight"] * 2


def test_parameters_that_share_a_storage_are_tied_and_views_of_one_are_not() -> None:
    base = torch.zeros(8)
    members = {
        "a": nn.Parameter(base),
        "b": nn.Parameter(base),
        "c": nn.Parameter(base[:4]),
        "d": nn.Parameter(base[4:]),
    }
    module = Call(lambda m, x: (x + m.a) * m.b + torch.cat([m.c, m.d]), **members)
    names = [t.name for t in captured(module, torch.zeros(8)).tensors if t.role == "weight"]
    assert names == ["a", "c", "d"]


def test_a_module_called_twice_shares_its_weights() -> None:
    layer = nn.Linear(4, 4)
    found = captured(Call(lambda m, x: m.layer(m.layer(x)), layer=layer), torch.zeros(2, 4))
    assert found.parameters == 20
    assert [op.name for op in ops(found)] == ["layer.linear", "layer.linear_1"]


def test_operators_keep_the_path_of_their_module() -> None:
    module = Call(lambda m, x: m.body(x), body=nn.Sequential(nn.Linear(4, 4), nn.GELU()))
    found = captured(module, torch.zeros(2, 4))
    assert [(op.name, op.module) for op in ops(found)] == [
        ("body.0.linear", "body.0"),
        ("body.1.gelu", "body.1"),
    ]


def test_an_argument_gets_the_role_that_a_pattern_of_its_path_gives() -> None:
    args = meta(2), {"key": meta(4), "value": meta(4)}
    found = captured(Named(), *args, roles={"cache.*": "state"})
    roles = {t.name: t.role for t in found.tensors}
    assert roles["cache.key"] == roles["cache.value"] == "state"
    assert roles["token"] == "input"


def test_a_role_pattern_that_matches_nothing_is_refused_with_a_hint() -> None:
    with pytest.raises(CaptureError, match=r"no argument matches 'cach\.key'.*'cache\.key'"):
        captured(Named(), meta(2), {"key": meta(4), "value": meta(4)}, roles={"cach.key": "state"})


def test_an_unknown_role_is_refused_with_a_hint() -> None:
    roles: Any = {"token": "stat"}
    with pytest.raises(CaptureError, match=r"'token'.*'stat'.*did you mean 'state'"):
        captured(Named(), meta(2), {"key": meta(4), "value": meta(4)}, roles=roles)


def test_keyword_arguments_keep_their_names() -> None:
    module = Call(lambda m, x, *, scale: x * scale)
    found = trace(module, (meta(2, 3),), {"scale": meta(3)}, fuse=False)
    assert [t.name for t in found.tensors if t.role == "input"][-1] == "scale"


def test_number_formats_are_those_of_the_model() -> None:
    module = nn.Linear(4, 4).to(torch.bfloat16)
    found = captured(module, torch.zeros(2, 4, dtype=torch.bfloat16))
    assert {str(t.dtype) for t in found.tensors} == {"bf16"}
    assert found.notes == ()


def test_a_model_at_full_precision_says_so() -> None:
    assert "float model captured at fp32" in captured(nn.Linear(2, 2), torch.zeros(1, 2)).notes


def test_results_that_are_returned_are_outputs() -> None:
    module = Call(lambda m, x: (x.relu(), x.relu()[:1], x))
    found = captured(module, meta(2, 3))
    assert [t.role for t in found.tensors] == ["input", "output", "output"]


def test_a_result_that_is_a_view_makes_its_tensor_the_output() -> None:
    found = captured(Call(lambda m, x: x.relu().T), meta(2, 3))
    assert [(t.role, t.shape) for t in found.tensors] == [("input", (2, 3)), ("output", (2, 3))]


def test_an_fx_graph_module_is_taken_as_it_is() -> None:
    module = torch.fx.symbolic_trace(cnn().eval())
    args = torch.zeros(2, 8, 16, 16)
    assert captured(module, args).macs == captured(cnn(), args).macs


def test_a_saved_program_gives_the_same_trace(tmp_path: Path) -> None:
    module, args = nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.zeros(2, 4)
    program = export(module, (args,))
    torch.export.save(program, tmp_path / "model.pt2")
    loaded = trace_exported(load_pt2(tmp_path / "model.pt2"), name="Sequential", fuse=False)
    assert [op.content for op in ops(loaded)] == [op.content for op in ops(captured(module, args))]


def test_dynamic_sizes_of_a_program_are_those_of_its_example_and_it_says_so() -> None:
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(
        nn.Linear(4, 4), (torch.zeros(3, 4),), dynamic_shapes=({0: batch},)
    )
    found = trace(program, name="layer")
    assert found.macs == 48
    told = "dynamic sizes stand at those of the exported example: axis 0 of input 3"
    assert told in found.notes
    still = trace(export(nn.Linear(4, 4), (torch.zeros(3, 4),)), name="layer")
    assert not [note for note in still.notes if "dynamic" in note]


def test_an_exported_program_can_be_traced_directly() -> None:
    program = export(nn.Linear(4, 4), (torch.zeros(2, 4),))
    assert trace(program, name="layer").macs == 32


def test_a_constant_that_the_code_makes_is_a_constant() -> None:
    found = captured(Call(lambda m, x: x * torch.tensor([1.0, 2.0])), torch.zeros(3, 2))
    assert [t.role for t in found.tensors if t.shape == (2,)] == ["constant"]


def test_two_captures_are_equal_to_the_bit() -> None:
    first, second = (captured(on_meta(cnn), meta(2, 8, 16, 16)) for _ in range(2))
    assert first.digest == second.digest


@pytest.mark.parametrize("model", [len, nn.Linear, "resnet50", None])
def test_what_is_no_module_is_refused(model: Any) -> None:
    with pytest.raises(CaptureError, match=r"must be a torch\.nn\.Module.*give an instance"):
        trace(model, (torch.zeros(1, 4),))
