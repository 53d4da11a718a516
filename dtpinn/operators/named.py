"""The operators that have names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.checks import whole_number
from dtpinn.operators.factors import Along, Given, Laplacian
from dtpinn.operators.operator import Coefficient, Operator

identity = Operator("identity", ((),))
"""u itself; at points that are no nodes, interpolation."""

laplacian = Operator("laplacian", ((Laplacian(),),))
"""The sum of the second derivatives along every axis."""

biharmonic = Operator("biharmonic", (laplacian @ laplacian).products)
"""The Laplacian of the Laplacian."""

normal = Operator("normal", ((Along("normal"),),))
"""n . grad, the derivative along the outward normal; at boundary nodes."""


def partial(*axes: int) -> Operator:
    """Return the derivative along each of `axes`, in whatever order.

    Parameters
    ----------
    *axes : int
        ``partial(0, 0, 1)`` is u_xxy.

    Returns
    -------
    Operator

    Raises
    ------
    TypeError
        If an axis is not an integer.
    ValueError
        If there is none, or a negative one; or, when it is used, if space has no such axis.

    Examples
    --------
    >>> partial(1, 0) + partial(0) @ partial(2)
    partial(0, 1) + partial(0) @ partial(2)
    """
    known = sorted(whole_number(axis, "axis") for axis in axes)
    if not known:
        raise ValueError("partial() needs one axis or more: partial(0) is d/dx; or use identity")
    name = f"partial({', '.join(map(str, known))})"
    return Operator(name, (tuple(Along(axis) for axis in known),))


def gradient(dimension: int) -> tuple[Operator, ...]:
    """Return the first derivative along each axis.

    Parameters
    ----------
    dimension : int
        d.

    Returns
    -------
    tuple of d Operator

    Examples
    --------
    >>> gradient(2)
    (partial(0), partial(1))
    """
    return tuple(partial(axis) for axis in range(dimension))


def divergence(components: Sequence[Operator]) -> Operator:
    """Return the divergence of a field whose components are operators of one unknown.

    Parameters
    ----------
    components : sequence of d Operator
        With constant coefficients. The divergence of the gradient is the Laplacian.

    Returns
    -------
    Operator

    Examples
    --------
    >>> divergence(gradient(2))
    partial(0) @ partial(0) + partial(1) @ partial(1)
    """
    return reduce(add, (partial(axis) @ field for axis, field in enumerate(components)))


def directional(direction: ArrayLike | Callable[[Any], ArrayLike]) -> Operator:
    """Return v . grad, the derivative along a direction times its length.

    Parameters
    ----------
    direction : (d,), (rows, d) or callable
        v, the same everywhere, one per row, or a function of the points, (rows, d) -> (rows, d).

    Returns
    -------
    Operator

    Examples
    --------
    >>> convection = directional([1.0, 0.5])
    >>> 0.01 * laplacian - convection
    0.01 * laplacian - directional(v)
    """
    v = Given(direction, "the direction of directional(v)", of_vectors=True)
    return Operator("directional(v)", ((Along(v),),))


def diffusion(
    coefficient: Coefficient,
    gradient: ArrayLike | Callable[[Any], ArrayLike] | None = None,
) -> Operator:
    """Return div(a grad) = a laplacian + grad a . grad.

    Parameters
    ----------
    coefficient : float, (rows,) array or callable
        a.
    gradient : (d,), (rows, d) or callable
        Of a. May be left out for a number only: numbers at nodes do not tell the gradient, and one
        by differences would have an error that the order of the operator does not bound. Where a is
        known at all nodes and nowhere else, differentiate it by ``dtpinn.rbffd.gradient``, to the
        order that is wanted.

    Returns
    -------
    Operator

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
        return Operator("diffusion(a)", (coefficient * laplacian).products)
    return Operator("diffusion(a)", (coefficient * laplacian + directional(gradient)).products)
