"""Linear differential operators, written as on paper: ``2 * laplacian + a * partial(0)``.

Sums, multiples and, where the right one has constant coefficients, compositions ``A @ B`` of
operators are operators. The coefficient in front of one is a number, an array with one number per
row, or a function of the points. Nothing here is a matrix yet: :func:`~dtpinn.rbffd.operator`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.arrays import Floats
from dtpinn.geometry.checks import whole_number
from dtpinn.rbffd.expression import Differential, Factor, Resolved, evaluate
from dtpinn.rbffd.sites import Sites
from dtpinn.rbffd.terms import laplacian_terms

identity = Differential(lambda sites: {(0,) * sites.dimension: 1.0}, "identity")
"""u itself; at points that are no nodes, interpolation."""

laplacian = Differential(lambda sites: laplacian_terms(sites.dimension), "laplacian")
"""The sum of the second derivatives along every axis."""

biharmonic = Differential((laplacian @ laplacian).terms_at, "biharmonic")
"""The Laplacian of the Laplacian."""

normal = Differential(lambda sites: _along(sites.normals()), "normal")
"""n . grad, the derivative along the outward normal; at boundary nodes."""


def partial(*axes: int) -> Differential:
    """Return the derivative along each of `axes` in turn.

    Parameters
    ----------
    *axes : int
        ``partial(0, 0, 1)`` is u_xxy.

    Returns
    -------
    Differential

    Raises
    ------
    TypeError
        If an axis is not an integer.
    ValueError
        If there is none; or, when it is used, if space has no such axis.

    Examples
    --------
    >>> partial(0, 1) + partial(0) @ partial(2)
    partial(0, 1) + partial(0) @ partial(2)
    """
    axes = tuple(whole_number(axis, "axis") for axis in axes)
    text = f"partial({', '.join(map(str, axes))})"
    if not axes:
        raise ValueError("partial() needs one axis or more: partial(0) is d/dx; or use identity")

    def terms_at(sites: Sites) -> Resolved:
        if not all(0 <= axis < sites.dimension for axis in axes):
            raise ValueError(f"{text}: axes in {sites.dimension}-D are 0 to {sites.dimension - 1}")
        return {tuple(axes.count(axis) for axis in range(sites.dimension)): 1.0}

    return Differential(terms_at, text)


def gradient(dimension: int) -> tuple[Differential, ...]:
    """Return the first derivative along each axis.

    Parameters
    ----------
    dimension : int
        d.

    Returns
    -------
    tuple of d Differential

    Examples
    --------
    >>> gradient(2)
    (partial(0), partial(1))
    """
    return tuple(partial(axis) for axis in range(dimension))


def divergence(components: Sequence[Differential]) -> Differential:
    """Return the divergence of a field whose components are operators of one unknown.

    Parameters
    ----------
    components : sequence of d Differential
        With constant coefficients. The divergence of the gradient is the Laplacian.

    Returns
    -------
    Differential

    Examples
    --------
    >>> divergence(gradient(2))
    partial(0) @ partial(0) + partial(1) @ partial(1)
    """
    return reduce(add, (partial(axis) @ field for axis, field in enumerate(components)))


def directional(direction: ArrayLike | Callable[[Floats], ArrayLike]) -> Differential:
    """Return v . grad, the derivative along a direction times its length.

    Parameters
    ----------
    direction : (d,), (rows, d) or callable
        v, the same everywhere, one per row, or a function of the points, (rows, d) -> (rows, d).

    Returns
    -------
    Differential

    Examples
    --------
    >>> convection = directional([1.0, 0.5])
    >>> 0.01 * laplacian - convection
    0.01 * laplacian - directional(v)
    """
    name = "the direction of directional(v)"
    return Differential(
        lambda sites: _along(evaluate(direction, sites, (sites.dimension,), name)), "directional(v)"
    )


def diffusion(
    coefficient: Factor,
    gradient: ArrayLike | Callable[[Floats], ArrayLike] | None = None,
) -> Differential:
    """Return div(a grad) = a laplacian + grad a . grad.

    Parameters
    ----------
    coefficient : float, (rows,) array or callable
        a.
    gradient : (d,), (rows, d) or callable
        Of a. May be left out for a number only: numbers at nodes do not tell the gradient, and one
        by differences would have an error that the order of the operator does not bound. Where a is
        known at all nodes and nowhere else, differentiate it by
        :func:`~dtpinn.rbffd.gradient`, to the order that is wanted.

    Returns
    -------
    Differential

    Raises
    ------
    TypeError
        If a is no number and its gradient is missing.

    Examples
    --------
    >>> diffusion(lambda x: 1.0 + x[:, 0] ** 2, lambda x: 2.0 * x * [1.0, 0.0])
    diffusion(a)
    """
    if gradient is None:
        if callable(coefficient) or np.ndim(coefficient):
            raise TypeError(
                "diffusion(a, gradient): the gradient of a varying a is needed, (rows, d) or a "
                "function of the points; from values on nodes.extended: "
                "torch.stack([D @ a for D in rbffd.gradient(nodes)], dim=1)"
            )
        return Differential((coefficient * laplacian).terms_at, "diffusion(a)")
    return Differential((coefficient * laplacian + directional(gradient)).terms_at, "diffusion(a)")


def _along(direction: Floats) -> Resolved:
    dimension = direction.shape[-1]
    axes = np.eye(dimension, dtype=int).tolist()
    return {tuple(axis): direction[..., k] for k, axis in enumerate(axes)}
