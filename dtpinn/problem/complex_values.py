"""Data and constraints of a complex field: as two, of its real and of its imaginary part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from dtpinn.pde.complex_fields import parts_of

Given = TypeVar("Given", bound=Any)


def in_real_fields(given: Sequence[Given], names: Sequence[str], value: str) -> list[Given]:
    """Return the same, with two for each that is of a complex field.

    Parameters
    ----------
    given : sequence of Data or constraints
    names : sequence of str
        Of the fields, those of :class:`~dtpinn.Complex` being "Re psi" and "Im psi".
    value : str
        The attribute that says what the field is to be.

    Raises
    ------
    TypeError
        If a value is complex and its field is not.

    Examples
    --------
    >>> from dtpinn.problem import Mean
    >>> pair = in_real_fields([Mean(3 + 4j, field="psi")], ("Re psi", "Im psi"), "value")
    >>> [(one.field, one.value, one.label) for one in pair]
    [('Re psi', 3.0, 'mean.Re psi'), ('Im psi', 4.0, 'mean.Im psi')]
    """
    result: list[Given] = []
    for one in given:
        wanted, pair = getattr(one, value), parts_of(one.field, names)
        if pair is None:
            if not callable(wanted) and np.iscomplexobj(_array(wanted)):
                raise TypeError(
                    f"dtpinn.{type(one).__name__}: a complex value is one of a complex field, by "
                    f'its name, field="psi" of dtpinn.Complex; got field={one.field!r}, and '
                    f"the fields are {', '.join(names)}"
                )
            result.append(one)
            continue
        for field, part in zip(pair, (_real, _imaginary), strict=True):
            name = f"{one.label}.{field}"
            result.append(replace(one, field=field, name=name, **{value: part(wanted)}))
    return result


def _array(value: object) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _real(value: Any) -> Any:
    if callable(value):
        return _of_function(value, lambda found: found.real)
    return _numbers(np.real(_array(value)))


def _imaginary(value: Any) -> Any:
    if callable(value):
        return _of_function(
            value, lambda found: found.imag if found.is_complex() else torch.zeros_like(found)
        )
    return _numbers(np.imag(_array(value)))


def _numbers(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.array(value)


def _of_function(
    function: Callable[[Tensor], Tensor], part: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    return lambda t: part(function(t))
