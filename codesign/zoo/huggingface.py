"""Models from the configuration classes of transformers (optional), without any download."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import torch

from codesign.errors import ModelError
from codesign.zoo import ModelEntry


def entry(config_class: str) -> ModelEntry:
    """The model of a configuration class such as ``LlamaConfig`` with its default dimensions.

    Raises:
        ModelError: transformers is not installed, has no such class, or has no model for it.
    """
    try:
        with _quiet():
            transformers = import_module("transformers")
            known = _config_classes()
    except ImportError as error:
        raise ModelError(
            f"hf:{config_class} needs the optional package transformers; "
            "install it with: pip install 'codesign[transformers]'"
        ) from error
    if config_class not in known.values():
        raise ModelError(
            f"transformers {transformers.__version__} has no configuration class "
            f"{config_class[:60]!r}; {_meant(config_class, known)}nothing is downloaded, so hf: "
            "takes a class such as LlamaConfig and no name of the hub"
        )
    with _quiet():
        return entry_of(getattr(transformers, config_class)())


def _config_classes() -> dict[str, str]:
    """Names of configuration classes by the type of their models, such as ``llama``."""
    names = import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING_NAMES
    return dict(names)


def _meant(word: str, known: Mapping[str, str]) -> str:
    """The class that a misspelt name or a name of the hub means, or nothing."""
    close = difflib.get_close_matches(word, known.values(), n=1, cutoff=0.8)
    bare = "".join(filter(str.isalnum, word.rpartition("/")[2].lower()))
    kinds = [kind for kind in known if bare.startswith("".join(filter(str.isalnum, kind)))]
    best = known[max(kinds, key=len)] if kinds else ""
    found = close[0] if close else best
    return f"did you mean {found!r}? " if found else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what packages that transformers looks at say of themselves as they are loaded."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(level)


def entry_of(config: Any) -> ModelEntry:
    """The model of a transformers configuration; it takes ``seq_len`` if it reads tokens.

    Raises:
        ModelError: no model belongs to the configuration, or it reads neither tokens, images nor
            audio.
    """
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    name = type(config).__name__
    if type(config) not in MODEL_MAPPING:
        raise ModelError(f"transformers has no base model for {name}; write a factory instead")
    found = MODEL_MAPPING[type(config)]
    model_class = found[0] if isinstance(found, (list, tuple)) else found
    main = model_class.main_input_name
    if main not in _INPUTS:
        raise ModelError(
            f"hf:{name} reads {main}; only models of {', '.join(_INPUTS)} have an example input: "
            "write a factory instead"
        )
    reads_tokens = main == "input_ids" or config.is_encoder_decoder
    return ModelEntry(
        partial(_build, config, model_class, main),
        f"{model_class.__name__} of transformers",
        {"batch": 1, "seq_len": 128} if reads_tokens else {"batch": 1},
    )


def _build(
    config: Any, model_class: type[Any], main: str, batch: int, seq_len: int = 0
) -> tuple[Any, tuple[()], dict[str, Any]]:
    config.use_cache = False
    inputs = {main: _INPUTS[main](config, batch, seq_len)}
    if config.is_encoder_decoder:
        inputs["decoder_input_ids"] = _tokens(config, batch, seq_len)
    return model_class._from_config(config), (), inputs


def _tokens(config: Any, batch: int, length: int) -> torch.Tensor:  # noqa: ARG001
    return torch.zeros(batch, length, dtype=torch.int64)


def _image(config: Any, batch: int, length: int) -> torch.Tensor:  # noqa: ARG001
    size = config.image_size
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return torch.empty(batch, config.num_channels, height, width)


def _mel_spectrogram(config: Any, batch: int, length: int) -> torch.Tensor:  # noqa: ARG001
    # the convolutions in front of these encoders halve the frame rate
    return torch.empty(batch, config.num_mel_bins, 2 * config.max_source_positions)


def _waveform(config: Any, batch: int, length: int) -> torch.Tensor:  # noqa: ARG001
    return torch.empty(batch, 16_000)


_INPUTS: dict[str, Callable[[Any, int, int], torch.Tensor]] = {
    "input_ids": _tokens,
    "pixel_values": _image,
    "input_features": _mel_spectrogram,
    "input_values": _waveform,
}
