"""The zoo: well-known models in plain torch, built on the meta device from their papers.

This module is torch-free: a model's file is imported when the model is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.errors import ModelError
from codesign.hookspecs import hookimpl

if TYPE_CHECKING:
    from codesign.workload.record import Role

__all__ = ["Example", "ModelEntry", "check_options", "codesign_models"]

Example: TypeAlias = tuple[Any, tuple[Any, ...], dict[str, Any]]
"""A module with positional and keyword arguments for one call of it."""


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be simulated by name.

    Attributes:
        build: function, or its import path such as ``codesign.zoo.resnet:resnet50``. It is called
            on the meta device with every option as a keyword and returns ``(module, args)`` or
            ``(module, args, kwargs)``.
        description: one line for listings.
        options: which of ``batch``, ``seq_len`` and ``steps`` the model takes, with defaults.
        roles: roles of arguments that the graph cannot tell, by argument path.
    """

    build: str | Callable[..., Any]
    description: str
    options: Mapping[str, int] = field(default_factory=lambda: {"batch": 1})
    roles: Mapping[str, Role] = field(default_factory=dict)

    def choose(self, name: str, given: Mapping[str, int]) -> dict[str, int]:
        """Every option with its value: the one in ``given``, else the default.

        Args:
            name: what the model is called, for messages.
            given: options that the user set, each at least 1.

        Raises:
            ModelError: an option that this model does not take, or a value below 1.
        """
        check_options(name, given, self.options)
        return {**self.options, **given}

    def example(self, name: str, given: Mapping[str, int]) -> Example:
        """Builds the model on the meta device, in evaluation mode: no memory for its weights.

        Args:
            name: what the model is called, for messages.
            given: options that the user set; the others take their defaults.

        Raises:
            ModelError: an option is refused, or the build function fails or returns something
                else than a module and its arguments.
        """
        options = self.choose(name, given)
        from codesign.zoo.build import on_meta

        return on_meta(self._builder(), options, name)

    def _builder(self) -> Callable[..., Any]:
        if not isinstance(self.build, str):
            return self.build
        module, _, function = self.build.partition(":")
        builder: Callable[..., Any] = getattr(import_module(module), function)
        return builder


def check_options(name: str, given: Mapping[str, int], taken: Iterable[str]) -> None:
    """Checks that a model takes the options that the user gave.

    Args:
        name: what the model is called, for messages.
        given: options and their values.
        taken: names of the options that the model takes.

    Raises:
        ModelError: an option that is not among ``taken``, or a value that is no whole number of
            at least 1.
    """
    known = tuple(taken)
    for option, value in given.items():
        if option not in known:
            takes = " and ".join(known) or "no options"
            raise ModelError(
                f"{name} takes {takes}, not {option} (got {value}); {_way(option, known)}"
            )
        check_size(name, option, value)


def check_size(name: str, option: str, value: object) -> None:
    """Checks the value of an option.

    Raises:
        ModelError: no whole number, or below 1.
    """
    if type(value) is not int:
        raise ModelError(f"{option} of {name} must be a whole number, got {value!r:.60}")
    if value < 1:
        raise ModelError(f"{option} of {name} must be at least 1, got {value}")


def _way(option: str, known: Iterable[str]) -> str:
    """What to give in the place of an option: a length is called seq_len or steps."""
    other = {"seq_len": "steps", "steps": "seq_len"}.get(option, "")
    return f"its length is {other}" if other in known else f"drop {option}"


_TEXT = {"batch": 1, "seq_len": 128}
_STEPS = {"batch": 1, "steps": 8}
_MODELS = {
    "resnet18": ModelEntry("codesign.zoo.resnet:resnet18", "ResNet-18, 224x224"),
    "resnet50": ModelEntry("codesign.zoo.resnet:resnet50", "ResNet-50 v1.5, 224x224"),
    "mobilenet_v2": ModelEntry("codesign.zoo.mobilenet:mobilenet_v2", "MobileNetV2, 224x224"),
    "efficientnet_b0": ModelEntry(
        "codesign.zoo.efficientnet:efficientnet_b0", "EfficientNet-B0, 224x224"
    ),
    "vit_b_16": ModelEntry("codesign.zoo.vit:vit_b_16", "Vision Transformer B/16, 224x224"),
    "bert_base": ModelEntry("codesign.zoo.bert:bert_base", "BERT base with pooler", _TEXT),
    "gpt2": ModelEntry("codesign.zoo.gpt2:gpt2", "GPT-2 small, prefill of seq_len tokens", _TEXT),
    "llama_3_1_8b": ModelEntry(
        "codesign.zoo.llama:prefill", "Llama 3.1 8B, prefill of seq_len tokens", _TEXT
    ),
    "llama_3_1_8b_decode": ModelEntry(
        "codesign.zoo.llama:decode",
        "Llama 3.1 8B, one token; it is the last of the seq_len tokens in the cache",
        {"batch": 1, "seq_len": 2048},
    ),
    "hybrid_cnn_vit": ModelEntry(
        "codesign.zoo.hybrid:hybrid_cnn_vit",
        "MobileNetV2 to 14x14, then 6 transformer layers of 192, 224x224",
    ),
    "dlrm": ModelEntry("codesign.zoo.dlrm:dlrm", "DLRM, 26 tables of 100,000 x 64"),
    "nasrec_criteo_small": ModelEntry(
        "codesign.zoo.nasrec:criteo_small", "NASRec-Small for Criteo, 26 tables, 33.8 M rows of 16"
    ),
    "nasrec_criteo_full": ModelEntry(
        "codesign.zoo.nasrec:criteo_full", "NASRec-Full for Criteo, 26 tables, 33.8 M rows of 16"
    ),
    "nasrec_avazu_small": ModelEntry(
        "codesign.zoo.nasrec:avazu_small", "NASRec-Small for Avazu, 23 tables, 9.5 M rows of 16"
    ),
    "nasrec_avazu_full": ModelEntry(
        "codesign.zoo.nasrec:avazu_full", "NASRec-Full for Avazu, 23 tables, 9.5 M rows of 16"
    ),
    "nasrec_kdd_small": ModelEntry(
        "codesign.zoo.nasrec:kdd_small", "NASRec-Small for KDD 2012, 10 tables, 50.7 M rows of 16"
    ),
    "nasrec_kdd_full": ModelEntry(
        "codesign.zoo.nasrec:kdd_full", "NASRec-Full for KDD 2012, 10 tables, 50.7 M rows of 16"
    ),
    "lstm_lm": ModelEntry(
        "codesign.zoo.lstm:lstm_lm",
        "two LSTM layers of 256 and a linear head",
        {"batch": 1, "steps": 50},
    ),
    "cell_lstm": ModelEntry(
        "codesign.zoo.cell_models:lstm", "one normalised LSTM layer of 640", _STEPS
    ),
    "cell_lstm_projected": ModelEntry(
        "codesign.zoo.cell_models:lstm_projected",
        "one LSTM layer of 2048 projected to 640",
        _STEPS,
    ),
    "cell_cifg": ModelEntry(
        "codesign.zoo.cell_models:cifg", "one normalised LSTM layer of 640, coupled gates", _STEPS
    ),
    "cell_gru": ModelEntry("codesign.zoo.cell_models:gru", "one GRU layer of 640", _STEPS),
    "cell_ligru": ModelEntry(
        "codesign.zoo.cell_models:ligru", "one light GRU layer of 640", _STEPS
    ),
    "cell_sru": ModelEntry("codesign.zoo.cell_models:sru", "one SRU layer of 640", _STEPS),
    "cell_qrnn": ModelEntry(
        "codesign.zoo.cell_models:qrnn", "one QRNN layer of 640, window 2", _STEPS
    ),
    "cell_mingru": ModelEntry(
        "codesign.zoo.cell_models:mingru", "one minimal GRU layer of 640", _STEPS
    ),
    "rnnt_8x640_encoder": ModelEntry(
        "codesign.zoo.rnnt:encoder",
        "streaming RNN-T encoder, 8 LSTM cells of 640; steps are 10 ms frames",
        _STEPS,
    ),
    "rnnt_8x640_prediction": ModelEntry(
        "codesign.zoo.rnnt:prediction", "RNN-T prediction network, one token"
    ),
    "rnnt_8x640_joiner": ModelEntry(
        "codesign.zoo.rnnt:joiner", "RNN-T joiner, one encoder frame and one prediction"
    ),
}


@hookimpl
def codesign_models() -> Mapping[str, ModelEntry]:
    """The models of the zoo by name."""
    return dict(_MODELS)
