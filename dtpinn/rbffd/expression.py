"""A linear differential operator as something to add, multiply and compose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.arrays import Floats
from dtpinn.checks import as_floats
from dtpinn.rbffd.polyharmonic import MultiIndex
from dtpinn.rbffd.sites import Sites

Factor: TypeAlias = float | Floats | Callable[[Floats], ArrayLike]
"""A number, (rows,), or a function of the points: (rows, d) NumPy array -> (rows,)."""

Resolved: TypeAlias = Mapping[MultiIndex, Any]
"""Multi-index -> number or (rows,) array."""


@dataclass(frozen=True, eq=False, repr=False)
class Differential:
    """A linear differential operator.

    It knows neither dimension nor nodes until it is used. Made from the names of
    :mod:`~dtpinn.rbffd.differential`.

    Parameters
    ----------
    terms_at : callable
        Takes the :class:`~dtpinn.rbffd.sites.Sites` of evaluation and returns a mapping
        multi-index -> number or (rows,) array.
    text : str
        What it is called.

    Examples
    --------
    >>> from dtpinn.rbffd.differential import identity, laplacian
    >>> helmholtz = laplacian + 9 * identity
    >>> 0.5 * helmholtz
    0.5 * (laplacian + 9 * identity)
    """

    terms_at: Callable[[Sites], Resolved]
    text: str

    __array_ufunc__ = None  # an array in front leaves the product to this class

    def __repr__(self) -> str:
        return self.text

    def __add__(self, other: object) -> Differential:
        """``A + B``."""
        if not isinstance(other, Differential):
            return NotImplemented
        return Differential(
            lambda sites: _sum(self.terms_at(sites), other.terms_at(sites)), f"{self} + {other}"
        )

    def __sub__(self, other: object) -> Differential:
        """``A - B``."""
        if not isinstance(other, Differential):
            return NotImplemented
        negative = -other
        return Differential(
            lambda sites: _sum(self.terms_at(sites), negative.terms_at(sites)),
            f"{self} - {_factor(other)}",
        )

    def __neg__(self) -> Differential:
        """``-A``."""
        return Differential((-1.0 * self).terms_at, f"-{_factor(self)}")

    def __rmul__(self, factor: Factor) -> Differential:
        """``a * A``: the result of A times a number, an array (rows,) or a function of the points.

        There is no ``A * a``, which could be read as A of a times u.
        """
        name = f"the coefficient of {self}"
        text = f"{factor:g}" if isinstance(factor, Real) else getattr(factor, "__name__", "a")

        def terms_at(sites: Sites) -> Resolved:
            a = evaluate(factor, sites, (), name)
            return {alpha: a * c for alpha, c in self.terms_at(sites).items()}

        return Differential(terms_at, f"{text} * {_factor(self)}")

    def __matmul__(self, other: object) -> Differential:
        """``A @ B``: A of B of u, where B has constant coefficients."""
        if not isinstance(other, Differential):
            return NotImplemented

        def terms_at(sites: Sites) -> Resolved:
            right = other.terms_at(sites)
            if any(np.ndim(c) for c in right.values()):
                raise ValueError(
                    f"{self} @ ({other}): the coefficients of the right operator vary, and their "
                    "derivatives are not known; write the product rule out, or use "
                    "diffusion(a, gradient) for div(a grad)"
                )
            result: Resolved = {}
            for alpha, a in self.terms_at(sites).items():
                for beta, b in right.items():
                    both = tuple(i + j for i, j in zip(alpha, beta, strict=True))
                    result = _sum(result, {both: a * b})
            return result

        return Differential(terms_at, f"{_factor(self)} @ {_factor(other)}")


def resolve(operator: Differential | Resolved, sites: Sites, name: str) -> Resolved:
    """Return an operator as a mapping of numbers, as far as it can be told without checking them.

    Parameters
    ----------
    operator : Differential or mapping
        A mapping may hold functions of the points.
    sites : Sites
        Where it is evaluated.
    name : str
        What messages call it.

    Returns
    -------
    mapping of multi-index to number or (rows,) array

    Raises
    ------
    TypeError
        If it is no operator.
    """
    if isinstance(operator, Differential):
        return operator.terms_at(sites)
    if isinstance(operator, Mapping):
        return {alpha: c(sites.points) if callable(c) else c for alpha, c in operator.items()}
    raise TypeError(
        f"operator {name!r} must be a mapping multi-index -> coefficient, or made of "
        f"dtpinn.rbffd.differential's; got {type(operator).__name__}"
    )


def evaluate(value: Any, sites: Sites, shape: tuple[int, ...], name: str) -> Floats:
    """Return a coefficient as numbers: the same everywhere, or one for each row.

    Parameters
    ----------
    value : number, array or callable
        As a user wrote it.
    sites : Sites
        The rows, and the points for a function.
    shape : tuple of int
        Of one coefficient: () or (d,).
    name : str
        What messages call it.

    Returns
    -------
    array of shape `shape` or (rows, *shape)

    Raises
    ------
    ValueError
        If it has another shape, or holds no numbers.
    """
    expected = (len(sites.points), *shape)
    text = f"a number, shape {expected}" if not shape else f"of shape {shape}, {expected}"
    text += " or a function of the points that returns such"
    array = as_floats(value(sites.points) if callable(value) else value, name, text)
    if array.shape not in (shape, expected):
        raise ValueError(f"{name} must be {text}; got shape {array.shape}")
    return array


def _sum(first: Resolved, second: Resolved) -> Resolved:
    result = dict(first)
    for alpha, c in second.items():
        result[alpha] = result[alpha] + c if alpha in result else c
    return result


def _factor(operator: Differential) -> str:
    """Return its text, in brackets if it is a sum."""
    text = str(operator)
    return f"({text})" if " + " in text or " - " in text or text.startswith("-") else text
