"""Laws of capturing recurrent layers: what torch alone captures, at a cost that no step adds to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._decomp import decomposition_table
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses import FakeTensorMode
from torch.export import ExportedProgram
from torch.nn import functional
from torch.nn.utils import rnn

import codesign
from codesign.errors import CaptureError
from codesign.models import resolve_model
from codesign.workload.capture import export, trace_exported
from codesign.workload.capture_recurrent import one_step_shapes
from codesign.workload.record import Trace

INPUTS, HIDDEN, BATCH = 5, 6, 2
OPERATORS = [
    getattr(torch.ops.aten, name).input for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")
]
Example = tuple[nn.Module, tuple[Any, ...]]


class Speech(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A convolution over time, a bidirectional stack, attention over time, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Conv1d(INPUTS, 8, 3, padding=1)
        self.rnn = nn.LSTM(8, HIDDEN, 2, bidirectional=True, batch_first=True, dropout=0.2)
        self.attention = nn.MultiheadAttention(2 * HIDDEN, 2, batch_first=True)
        self.head = nn.Linear(2 * HIDDEN, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        out, (hidden, _) = self.rnn(functional.relu(self.front(x)).transpose(1, 2))
        mixed, _ = self.attention(out, out, out)
        return self.head(mixed).flatten(0, 1), hidden[-1]


class Reshaped(nn.Module):  # type: ignore[misc]
    """Asks in several ways how the results of a layer lie in memory."""

    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, ...]:
        out, last = self.rnn(x, state)
        states = last if isinstance(last, tuple) else (last,)
        flat = [state.transpose(0, 1).reshape(-1) for state in states]
        return out.reshape(-1, out.shape[-1]), out.flip(0)[0], *flat


class Function(nn.Module):  # type: ignore[misc]
    """The function ``torch.gru`` itself, over the outputs of a layer of another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.RNN(INPUTS, HIDDEN, nonlinearity="relu")
        self.second = nn.GRU(HIDDEN, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        start = x.new_zeros(1, x.shape[1], HIDDEN)
        weights = self.second._flat_weights
        kept: Tensor = torch.gru(
            self.first(x)[0], start, weights, True, 1, 0.0, False, False, False
        )[0]
        return kept


def layer(kind: type, **options: Any) -> Callable[[int], Example]:
    """A layer over a batch of so many steps, and what its results are used for."""
    first = options.get("batch_first", False)

    def build(steps: int) -> Example:
        shape = (BATCH, steps, INPUTS) if first else (steps, BATCH, INPUTS)
        return Reshaped(kind(INPUTS, HIDDEN, **options)), (torch.zeros(shape),)

    return build


def with_state(kind: type, layers: int, widths: tuple[int, ...], **options: Any) -> Any:
    def build(steps: int) -> Example:
        states = tuple(torch.zeros(layers, BATCH, width) for width in widths)
        state = states if len(states) > 1 else states[0]
        rnn = kind(INPUTS, HIDDEN, **options)
        return Reshaped(rnn), (torch.zeros(steps, BATCH, INPUTS), state)

    return build


CASES: dict[str, Callable[[int], Example]] = {
    "lstm": layer(nn.LSTM),
    "gru": layer(nn.GRU),
    "tanh": layer(nn.RNN),
    "relu": layer(nn.RNN, nonlinearity="relu"),
    "lstm deep, both ways": layer(nn.LSTM, num_layers=3, bidirectional=True),
    "gru deep, both ways": layer(nn.GRU, num_layers=2, bidirectional=True, dropout=0.5),
    "lstm batch first": layer(nn.LSTM, batch_first=True, dropout=0.5, num_layers=2),
    "gru batch first, both ways": layer(nn.GRU, batch_first=True, bidirectional=True),
    "tanh batch first": layer(nn.RNN, batch_first=True, num_layers=2),
    "lstm projected": layer(nn.LSTM, proj_size=3, num_layers=2, bidirectional=True),
    "lstm without bias": layer(nn.LSTM, bias=False, proj_size=4),
    "gru without bias": layer(nn.GRU, bias=False),
    "lstm with a state": with_state(nn.LSTM, 2, (HIDDEN, HIDDEN), num_layers=2),
    "lstm projected with a state": with_state(nn.LSTM, 1, (3, HIDDEN), proj_size=3),
    "gru with a state": with_state(nn.GRU, 2, (HIDDEN,), bidirectional=True),
    "unbatched": lambda steps: (nn.GRU(INPUTS, HIDDEN), (torch.zeros(steps, INPUTS),)),
    "double": lambda steps: (
        nn.LSTM(INPUTS, HIDDEN).double(),
        (torch.zeros(steps, BATCH, INPUTS, dtype=torch.float64),),
    ),
    "between other operators": lambda steps: (Speech(), (torch.zeros(BATCH, INPUTS, steps),)),
    "function": lambda steps: (Function(), (torch.zeros(steps, BATCH, INPUTS),)),
}


def alone(model: nn.Module, args: tuple[Any, ...]) -> ExportedProgram:
    """What torch makes of it without us, step by step."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return torch.export.export(model.eval(), args, strict=False)


def seen(exported: ExportedProgram) -> list[object]:
    """Each node with the shape, the layout in memory and the format of what it makes."""
    found: list[object] = []
    for node in exported.graph.nodes:
        made = node.meta.get("val")
        parts = made if isinstance(made, (tuple, list)) else [made]
        tensors = [part for part in parts if isinstance(part, Tensor)]
        facts = [(t.shape, t.stride(), t.storage_offset(), t.dtype, t.device) for t in tensors]
        found.append((node.name, str(node.target), str(node.args), facts))
    return found


def built(case: str, steps: int, device: str = "meta") -> Example:
    with torch.device(device):
        return CASES[case](steps)


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collects the operators that run under fake tensors, which is what a capture spends."""
    ran: list[str] = []
    dispatch = FakeTensorMode.dispatch

    def counted(mode: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
        ran.append(str(func))
        return dispatch(mode, func, *args, **kwargs)

    FakeTensorMode.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(FakeTensorMode, "dispatch", counted)
        yield ran


def captured(case: str, steps: int, device: str = "meta") -> Trace:
    model, args = built(case, steps, device)
    return codesign.trace(model, args, name=case)


# --- the same as before ---


@pytest.mark.parametrize("case", CASES)
def test_the_graph_is_that_of_torch_alone_to_the_strides(case: str) -> None:
    for steps, device in ((1, "meta"), (2, "cpu"), (7, "meta")):
        model, args = built(case, steps, device)
        assert seen(export(model, args)) == seen(alone(model, args))


@pytest.mark.parametrize("case", CASES)
def test_the_trace_is_that_of_a_program_that_torch_has_lowered_alone(case: str) -> None:
    for steps in (3, 11):
        model, args = built(case, steps)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lowered = alone(model, args).run_decompositions({})
        trace = captured(case, steps)
        assert {region.steps for region in trace.regions} == {steps}
        assert trace == trace_exported(lowered, name=case, model=model)
        assert trace.digest == trace_exported(lowered, name=case, model=model).digest


def test_layers_that_cannot_be_viewed_as_one_row_are_refused_as_before() -> None:
    class Viewed(Reshaped):
        def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, ...]:
            return (self.rnn(x)[0].view(-1),)

    model = Viewed(nn.LSTM(INPUTS, HIDDEN, batch_first=True))
    with pytest.raises(CaptureError, match=r"Cannot view a tensor with shape .*strides"):
        codesign.trace(model, (torch.zeros(BATCH, 9, INPUTS),))
    assert codesign.trace(model, (torch.zeros(1, 9, INPUTS),)).regions[0].steps == 9


# --- at the cost of one step ---


@pytest.mark.parametrize("case", CASES)
def test_ten_thousand_steps_run_as_many_operators_as_ten(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    for steps in (10, 10_000):
        with counting(monkeypatch) as found:
            trace = captured(case, steps)
        assert {region.steps for region in trace.regions} == {steps}
        ran.append(found)
    assert ran[0] == ran[1]


@pytest.mark.parametrize("case", ["lstm", "gru deep, both ways", "between other operators"])
def test_a_program_that_torch_exported_alone_is_lowered_at_the_cost_of_one_step(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    for steps in (4, 40):
        exported = alone(*built(case, steps))
        with counting(monkeypatch) as found:
            codesign.trace(exported)
        ran.append(found)
    assert ran[0] == ran[1]


@pytest.mark.parametrize("name", ["lstm_lm", "cell_gru", "cell_qrnn", "rnnt_8x640_encoder"])
def test_recurrent_models_of_the_zoo_cost_the_same_for_any_number_of_steps(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    for steps in (16, 16_000):
        with counting(monkeypatch) as found:
            resolve_model(name, steps=steps)
        ran.append(found)
    assert ran[0] == ran[1]


def test_a_loop_written_in_python_costs_its_steps_and_becomes_one_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Loop(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(INPUTS, HIDDEN)

        def forward(self, x: Tensor) -> Tensor:
            state = x.new_zeros(x.shape[1], HIDDEN)
            for step in x:
                state = self.cell(step, state)
            return state

    counts = []
    for steps in (8, 16, 32):
        with counting(monkeypatch) as found:
            made = codesign.trace(Loop(), (torch.zeros(steps, BATCH, INPUTS),))
        assert [region.steps for region in made.regions] == [steps]
        counts.append(len(found))
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0]) > 0


# --- torch is left as it was ---


def kernels() -> list[dict[Any, Any]]:
    found = [{**operator.py_kernels} for operator in OPERATORS]
    return [*found, {operator: decomposition_table[operator] for operator in OPERATORS}]


def test_kernels_are_put_back_after_a_capture_and_after_a_failure() -> None:
    before = kernels()
    captured("lstm", 3)
    assert kernels() == before
    with pytest.raises(CaptureError):
        codesign.trace(nn.LSTM(INPUTS, HIDDEN), (torch.zeros(3, BATCH, INPUTS + 1),))
    assert kernels() == before


def test_two_captures_at_a_time_leave_torch_as_it_was() -> None:
    before, steps = kernels(), [3, 4, 5, 6]
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(lambda n: captured("gru", n).digest, steps))
    assert digests == [captured("gru", n).digest for n in steps]
    assert kernels() == before


@pytest.mark.parametrize("case", ["lstm deep, both ways", "gru", "relu", "tanh batch first"])
def test_calls_with_data_keep_their_results_during_a_capture(case: str) -> None:
    model, (x,) = built(case, 5, "cpu")
    model, x = model.eval(), torch.rand_like(x)
    with torch.no_grad():
        expected = model(x)
        with one_step_shapes(), enable_python_dispatcher():
            found = model(x)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


# --- refusals ---


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_sequence_without_steps_is_refused_with_its_shape(kind: type) -> None:
    with pytest.raises(CaptureError, match=r"must have a time step, got \[0, 2, 5\]"):
        codesign.trace(kind(INPUTS, HIDDEN), (torch.zeros(0, BATCH, INPUTS),))


@pytest.mark.parametrize("state", [(), (torch.zeros(1, BATCH, HIDDEN),)])
@pytest.mark.parametrize("lengths", [[4, 4], torch.tensor([4, 2])])
def test_a_packed_sequence_is_refused_with_a_remedy(state: Any, lengths: Any) -> None:
    class Packed(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(INPUTS, HIDDEN)

        def forward(self, x: Tensor, *state: Tensor) -> Tensor:
            return self.rnn(rnn.pack_padded_sequence(x, lengths), *state)[0].data

    with pytest.raises(CaptureError, match=r"a packed sequence at test_.*; pad the sequence and"):
        codesign.trace(Packed(), (torch.zeros(4, BATCH, INPUTS), *state))


def test_weights_that_do_not_fit_are_refused_as_before() -> None:
    class Wrong(Function):
        def forward(self, x: Tensor) -> Tensor:
            start = x.new_zeros(1, x.shape[1], HIDDEN + 1)
            weights = self.second._flat_weights
            kept: Tensor = torch.gru(x, start, weights, True, 1, 0.0, False, False, False)[0]
            return kept

    with pytest.raises(CaptureError, match=r"torch.export failed at .*\(forward\)"):
        codesign.trace(Wrong(), (torch.zeros(9, BATCH, INPUTS),))
