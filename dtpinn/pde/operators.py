"""The vocabulary of spatial derivatives: what a residual may ask of ``D``, as data.

An operator is a sum of partial derivatives with constant coefficients, or the derivative along the
boundary normal. It says nothing of how it is computed: RBF-FD turns it into a matrix, automatic
differentiation into backward passes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

MultiIndex = tuple[int, ...]


@dataclass(frozen=True)
class Operator:
    """A linear differential operator ``sum_k c_k D^(alpha_k)``.

    Parameters
    ----------
    name : str
        How messages, matrices given by a user and ``describe()`` call it.
    terms : tuple of (multi-index, coefficient)
        Empty for the normal derivative, whose coefficients are the normals of the region.
    """

    name: str
    terms: tuple[tuple[MultiIndex, float], ...] = ()

    @property
    def along_normal(self) -> bool:
        """Whether the coefficients are the components of the boundary normal."""
        return not self.terms


NORMAL = Operator("normal")


def partial(dimension: int, *axes: int) -> Operator:
    """Return the derivative along each of `axes` in turn.

    Examples
    --------
    >>> partial(3, 0, 2)
    Operator(name='partial(0, 2)', terms=(((1, 0, 1), 1.0),))
    """
    if not axes or any(not 0 <= axis < dimension for axis in axes):
        raise ValueError(
            f"D.partial(u, axis, ...): expected one axis or more in 0..{dimension - 1}, got {axes}"
        )
    count = Counter(axes)
    alpha = tuple(count[axis] for axis in range(dimension))
    return Operator(f"partial({', '.join(map(str, sorted(axes)))})", ((alpha, 1.0),))


def laplacian(dimension: int) -> Operator:
    """Return the sum of the second derivatives along every axis."""
    terms = tuple((_unit(dimension, axis, 2), 1.0) for axis in range(dimension))
    return Operator("laplacian", terms)


def biharmonic(dimension: int) -> Operator:
    """Return the Laplacian of the Laplacian.

    Examples
    --------
    >>> biharmonic(2).terms
    (((4, 0), 1.0), ((2, 2), 2.0), ((0, 4), 1.0))
    """
    terms: dict[MultiIndex, float] = {}
    for first in range(dimension):
        for second in range(dimension):
            alpha = tuple(
                a + b
                for a, b in zip(
                    _unit(dimension, first, 2), _unit(dimension, second, 2), strict=True
                )
            )
            terms[alpha] = terms.get(alpha, 0.0) + 1.0
    return Operator("biharmonic", tuple(terms.items()))


def _unit(dimension: int, axis: int, order: int) -> MultiIndex:
    return tuple(order if k == axis else 0 for k in range(dimension))
