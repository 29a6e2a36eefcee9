"""Adapter to hwcomponents, an external estimator of memories, arithmetic and converters.

Of its parts only those under the MIT licence are used: the core, cacti, adc and the Aladdin figures
of the library. Its neurosim part is CC BY-NC and never imported; the start of the library package
imports it, so that package is not started: only its module of Aladdin is.

The packages are imported at the first question. Each question is asked once.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from codesign import hookimpl
from codesign.energy import Estimator, Query, Row
from codesign.errors import OF_OTHERS, EnergyError, did_you_mean, one_line

NAME = "hwcomponents"
PACKAGES = ("hwcomponents", "hwcomponents-cacti", "hwcomponents-adc", "hwcomponents-library")
ADC_SAMPLES_PER_S = 1e8
"""Rate that converters are asked for."""
_LIBRARY, _FORBIDDEN = "hwcomponents_library", "hwcomponents_neurosim"


def estimate(query: Query) -> Row:
    """Asks hwcomponents.

    Raises:
        EnergyError: it is not installed, does not know the component or one of the words of the
            question, or fails.
    """
    if query.component not in _MODELS:
        hint = did_you_mean(query.component, _MODELS)
        raise EnergyError(f"{NAME} is not asked for {query.component!r}{hint}")
    for word, given in (("node", query.node_nm), ("size", query.size_bytes)):
        if given is None and (word == "node" or query.component == "sram"):
            raise EnergyError(f"{NAME} needs a {word} for {query.component}; add it")
    if query.voltage_v is not None or query.type or query.format != "int":
        raise EnergyError(f"{NAME} takes no voltage, type or format; drop it, or ask the tables")
    if query.state != "active":
        raise EnergyError(f"{NAME} takes no state but active; drop it, or ask the tables")
    try:
        cost = _ask(query)
    except EnergyError:
        raise
    except OF_OTHERS as error:  # the tool may fail in any way; name it
        text = one_line(error)[:120]
        raise EnergyError(f"{NAME} has no answer for {query}: {text}") from error
    for name, value in cost.items():
        if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
            raise EnergyError(f"{NAME} answers {query} with {name} = {value}, which is none")
    tool = f"{NAME} {_version()}"
    return Row(
        query.component,
        query.action,
        tool,
        "tool",
        f"{tool} (pypi.org), asked for this run",
        node_nm=query.node_nm,
        size_bytes=query.size_bytes,
        width_bits=query.width_bits,
        energy_j=cost.get("energy_j"),
        latency_s=cost.get("latency_s"),
        area_m2=cost["area_m2"],
        leakage_w=cost["leakage_w"],
    )


def _ask(query: Query) -> dict[str, float]:
    model = _MODELS[query.component](query)
    cost = {"area_m2": model.area, "leakage_w": model.leak_power}
    if query.quantity in ("area", "leakage"):
        return cost
    known = ("read", "write", "compute", "add", "multiply", "convert")
    if query.action not in known or not hasattr(model, query.action):
        raise EnergyError(
            f"{NAME} knows no action {query.action[:60]!r} of {query.component}; "
            f"write one of {', '.join(known)} that it has"
        )
    action = getattr(model, query.action)()
    return cost | {"energy_j": action.energy, "latency_s": action.latency}


def _sram(query: Query) -> Any:
    return _part("hwcomponents_cacti").SRAM(
        tech_node=_metres(query),
        size=8 * (query.size_bytes or 0),
        width=query.width_bits,
        n_banks=query.banks,
    )


def _register(query: Query) -> Any:
    return _aladdin().AladdinRegister(tech_node=_metres(query), width=query.width_bits)


def _adder(query: Query) -> Any:
    return _aladdin().AladdinAdder(tech_node=_metres(query), width=_bits(query, query.bits))


def _multiplier(query: Query) -> Any:
    return _aladdin().AladdinMultiplier(tech_node=_metres(query), width=_bits(query, query.bits))


def _mac(query: Query) -> Any:
    factors = {query.activation_bits or query.bits, query.weight_bits or query.bits}
    if len(factors) > 1:
        raise EnergyError(f"{NAME} takes one width for both factors of a mac; ask the tables")
    return _aladdin().AladdinIntMAC(
        tech_node=_metres(query),
        multiplier_width=_bits(query, factors.pop()),
        adder_width=query.accumulator_bits,
    )


def _adc(query: Query) -> Any:
    bits = _bits(query, query.bits)
    return _part("hwcomponents_adc").ADC(
        n_bits=bits, tech_node=_metres(query), throughput=ADC_SAMPLES_PER_S
    )


_MODELS: Mapping[str, Callable[[Query], Any]] = {
    "sram": _sram,
    "register_file": _register,
    "adder": _adder,
    "multiplier": _multiplier,
    "mac": _mac,
    "adc": _adc,
}


def _metres(query: Query) -> float:
    return (query.node_nm or 0.0) * 1e-9


def _bits(query: Query, bits: int | None) -> int:
    if bits is None:
        raise EnergyError(f"{NAME} needs bits for {query.component}; add for example 'bits: 8'")
    return bits


def _version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=8)
def _part(name: str) -> ModuleType:
    """One of the MIT packages."""
    with _without_the_forbidden_part():
        return _import(name)


@lru_cache(maxsize=1)
def _aladdin() -> ModuleType:
    """The module of Aladdin's figures, loaded beside its package, which is not started."""
    spec = find_spec(_LIBRARY)
    if spec is None:
        raise EnergyError(_not_installed())
    with _without_the_forbidden_part():
        sys.modules[_LIBRARY] = module_from_spec(spec)
        return _import(".".join((_LIBRARY, "library", "aladdin")))


@contextmanager
def _without_the_forbidden_part() -> Iterator[None]:
    """Imports of the CC BY-NC part fail meanwhile; what was loaded before is put back."""
    ours = (_LIBRARY, _FORBIDDEN)
    before = {name: module for name, module in sys.modules.items() if name.startswith(ours)}
    for name in before:
        del sys.modules[name]
    sys.modules[_FORBIDDEN] = None  # type: ignore[assignment]  # how Python is told to refuse it
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.startswith(ours)]:
            del sys.modules[name]
        sys.modules.update(before)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(_FORBIDDEN):
            raise EnergyError(
                f"{name} needs {_FORBIDDEN}, which is CC BY-NC and not used; install {NAME} 1.0.114"
            ) from error
        raise EnergyError(_not_installed()) from error


def _not_installed() -> str:
    return (
        f"estimator {NAME!r} needs the packages {', '.join(PACKAGES)}; install them on Python 3.12 "
        "or later with: pip install 'codesign[estimators]'"
    )


@hookimpl
def codesign_energy_estimators() -> dict[str, Estimator]:
    """The estimator ``hwcomponents``."""
    return {NAME: estimate}
