"""One line for whatever torch raises during capture: the cause, the place, the remedy."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, TextIO

from codesign.errors import CaptureError

_BRANCH = re.compile(r"data-dependent|GuardOnDataDependent|DynamicControlFlow|is_nonzero|Eq\(u\d")
_ITEM = re.compile(r"\.item\(\)|_local_scalar_dense|aten\.item|tolist")
_TORCH = re.compile(r"[/\\](torch|functorch|codesign[/\\]workload)[/\\]|contextlib\.py$")
_QUOTED = re.compile(r"<class '(?:[^']*\.)?(\w+)'>")
_RECURRENT = re.compile(r"torch[/\\]nn[/\\](modules|utils)[/\\]rnn\.py$")
_LENGTH = 200
_KNOWN = (
    (
        "LinearPackedParams",
        "the model{} was quantised by torch.ao.quantization.quantize_dynamic or convert, whose "
        "packed weights torch.export cannot read; quantise with torchao or PT2E, or give the float "
        "model with dtype or annotations",
    ),
    (
        "ScriptModule",
        "a model{} of torch.jit cannot be captured; give the torch.nn.Module that it was made from",
    ),
    (
        "(?i)cuda|nvidia",
        "the model{} asks for a GPU, and capture needs none; build and run it on the CPU or the "
        "meta device, without .cuda() and device='cuda'",
    ),
)
"""What patterns errors of torch match, and what to say of them; ``{}`` is the place."""


def diagnose(error: BaseException) -> CaptureError:
    """The error to show instead of the one that torch raised.

    Args:
        error: what ``torch.export`` raised.
    """
    text = f"{type(error).__name__}: {error}"
    frame = user_frame(error)
    place = f" at {frame}" if frame else ""
    if _is_packed(error):
        return CaptureError(
            f"a packed sequence{place} has a batch that shrinks from step to step, as its data "
            "say; pad the sequence and pass the tensor itself"
        )
    if _BRANCH.search(text):
        return CaptureError(
            f"a Python branch on data{place} cannot be captured: both sides would have to be "
            "known; write it with torch.cond, or give an example that does not reach it"
        )
    if _ITEM.search(text):
        return CaptureError(
            f"a tensor element is read into Python{place}, but capture holds shapes and no data; "
            "keep it a tensor, or pass the number as an argument"
        )
    for sign, told in _KNOWN:
        if re.search(sign, text):
            return CaptureError(told.format(place))
    if "not a known type" in text:
        kind = _QUOTED.search(text)
        return CaptureError(
            f"the model takes or returns a {kind[1] if kind else 'type'} that torch.export cannot "
            "take apart; return tensors (a transformers model: pass use_cache=False), or register "
            "the type with torch.utils._pytree.register_pytree_node"
        )
    cause = " ".join(str(error).split())[:_LENGTH] or "no message"
    return CaptureError(
        f"torch.export failed{place}: {type(error).__name__}: {cause}; check that the module runs "
        "on these example arguments and is free of Python side effects"
    )


def _is_packed(error: BaseException) -> bool:
    """Whether it came from a recurrent layer over a packed sequence, or from packing one."""
    return any(
        _RECURRENT.search(frame.f_code.co_filename)
        and (
            frame.f_code.co_name == "pack_padded_sequence"
            or frame.f_locals.get("batch_sizes") is not None
        )
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def user_frame(error: BaseException) -> str | None:
    """The innermost line of the user's own code that the error came from, as ``file:line``."""
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        if not _TORCH.search(frame.filename) and not frame.filename.startswith("<"):
            found = f"{Path(frame.filename).name}:{frame.lineno} ({frame.name})"
    return found


@contextmanager
def without_graphs() -> Iterator[None]:
    """Standard error without the graph that torch prints of what it could not capture."""
    with redirect_stderr(_WithoutGraphs(sys.stderr)):
        yield


class _WithoutGraphs:
    """A stream that leaves out printed graphs, and the end of line behind each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_behind_graph = False

    def write(self, text: str) -> int:
        is_graph = "def forward(self" in text and "torch.ops." in text
        if not is_graph and not (self._is_behind_graph and text == "\n"):
            self._stream.write(text)
        self._is_behind_graph = is_graph
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
