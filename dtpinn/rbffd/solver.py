"""The compiled solver of the stencils' systems (csrc/rbffd)."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.tables import tables
from dtpinn.sparse.extension import _C


def solve_stencils(
    offsets: Floats,
    rule: Rule,
    derivatives: tuple[MultiIndex, ...],
    points: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Solve equation (9) for derivatives at points of each stencil, factorising each matrix once.

    Parameters
    ----------
    offsets : (stencils, n, d) array
        Shifted and scaled members, from :meth:`~dtpinn.rbffd.stencils.Stencils.offsets`.
    rule : Rule
        Gives m and l.
    derivatives : tuple of multi-indices
        Each of an order below m.
    points : (stencils, e, d) array, optional
        Where to evaluate, in the coordinates of `offsets`; by default at the centre.

    Returns
    -------
    weights : (stencils, e, len(derivatives), n) array
        For derivatives in the scaled coordinates. NaN where a matrix is singular to the last bit.
    condition : (stencils,) array
        Estimates of the matrices' condition numbers, as :class:`~dtpinn.rbffd.weights.Weights`
        explains them; inf where singular.

    Notes
    -----
    Gaussian elimination with partial pivoting, as LAPACK's, of one stencil after the other in a
    core's cache. Other threads of Python run meanwhile. The tests have the same in NumPy, to read
    and to compare with (tests/rbffd/in_numpy.py).

    Examples
    --------
    The central difference, and the value half-way to the right, by linear interpolation:

    >>> rule = Rule(
    ...     order=2, derivatives=1, dimension=1, degree=1, exponent=3, stencil_size=3
    ... )
    >>> offsets = np.array([[[0.0], [1.0], [-1.0]]])
    >>> solve_stencils(offsets, rule, ((1,),))[0][0, 0, 0].round(12) + 0.0
    array([ 0. ,  0.5, -0.5])
    >>> weights, _ = solve_stencils(offsets, rule, ((0,),), points=np.array([[[0.0], [1.0]]]))
    >>> weights[0, :, 0].round(12) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    if points is None:
        points = np.zeros((len(offsets), 1, offsets.shape[2]))
    weights, condition = _C.solve_stencils(offsets, points, **tables(rule, derivatives))
    return weights, condition
