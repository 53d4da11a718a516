"""The linear systems (9) of a batch of stencils in NumPy.

Only the probes are for use: the systems are built and solved by csrc/rbffd. This is the same in a
form to read, and what the tests compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.rbffd.legendre import legendre_at_zero, legendre_values
from dtpinn.rbffd.polyharmonic import MultiIndex, polyharmonic, power_from_squared
from dtpinn.rbffd.rule import Rule

PROBES = 3
"""How many right-hand sides the condition estimate adds."""


def saddle_point_matrices(offsets: Floats, rule: Rule) -> Floats:
    """Build [[A, P], [P', 0]] of equation (9) for each stencil.

    Parameters
    ----------
    offsets : (stencils, n, d) array
        Shifted and scaled members, from :meth:`~dtpinn.rbffd.stencils.Stencils.offsets`.
    rule : Rule
        Gives m and l.

    Returns
    -------
    (stencils, n+q, n+q) array
        Symmetric; A_ij = |x_i - x_j|^m and P_ij = q_j(x_i), equation (10).

    Examples
    --------
    >>> from dtpinn.rbffd.rule import choose_rule
    >>> rule = choose_rule(2, derivatives=1, dimension=1, stencil_size=3)
    >>> saddle_point_matrices(np.array([[[0.0], [0.5], [-1.0]]]), rule)[0].round(3)
    array([[ 0.   ,  0.125,  1.   ,  1.   ,  0.   , -0.5  ],
           [ 0.125,  0.   ,  3.375,  1.   ,  0.5  , -0.125],
           [ 1.   ,  3.375,  0.   ,  1.   , -1.   ,  1.   ],
           [ 1.   ,  1.   ,  1.   ,  0.   ,  0.   ,  0.   ],
           [ 0.   ,  0.5  , -1.   ,  0.   ,  0.   ,  0.   ],
           [-0.5  , -0.125,  1.   ,  0.   ,  0.   ,  0.   ]])
    """
    count, n, _ = offsets.shape
    matrices = np.empty((count, rule.unknowns, rule.unknowns))
    squared = _squared_distances(offsets)
    polynomials = legendre_values(offsets, rule.degree)
    power_from_squared(squared, rule.exponent, out=matrices[:, :n, :n])
    matrices[:, :n, n:] = polynomials
    matrices[:, n:, :n] = polynomials.swapaxes(1, 2)
    matrices[:, n:, n:] = 0.0
    return matrices


def _squared_distances(offsets: Floats) -> Floats:
    """Return |x_i - x_j|^2, (stencils, n, n)."""
    # From differences, one axis at a time: as fast as |x|^2 + |y|^2 - 2 x.y, exactly symmetric, and
    # without its cancellation between near nodes.
    squared = _squared_differences(offsets[:, :, 0])
    for axis in range(1, offsets.shape[2]):
        squared += _squared_differences(offsets[:, :, axis])
    return squared


def _squared_differences(x: Floats) -> Floats:
    difference = x[:, :, None] - x[:, None, :]
    difference *= difference
    return difference


def right_hand_sides(offsets: Floats, rule: Rule, derivatives: Sequence[MultiIndex]) -> Floats:
    """Build the columns [D^alpha a; D^alpha q] of equation (11), and the probes of the condition.

    Parameters
    ----------
    offsets : (stencils, n, d) array
        Shifted and scaled members.
    rule : Rule
        Gives m and l.
    derivatives : sequence of multi-indices
        One column each, evaluated at the centre, in the scaled coordinates.

    Returns
    -------
    (stencils, n+q, len(derivatives) + PROBES) array

    Examples
    --------
    >>> from dtpinn.rbffd.rule import choose_rule
    >>> rule = choose_rule(2, derivatives=1, dimension=1, stencil_size=3)
    >>> right_hand_sides(np.array([[[0.0], [0.5], [-1.0]]]), rule, [(1,)])[0, :, 0]
    array([ 0.  , -0.75,  3.  ,  0.  ,  1.  ,  0.  ])
    """
    count, n, _ = offsets.shape
    columns = len(derivatives)
    rhs = np.empty((count, rule.unknowns, columns + PROBES))
    for k, alpha in enumerate(derivatives):
        rhs[:, :n, k] = polyharmonic(-offsets, rule.exponent, alpha)  # x - x_j at x = 0
        rhs[:, n:, k] = legendre_at_zero(rule.degree, alpha)
    rhs[:, :, columns:] = probes(rule.unknowns)
    return rhs


@lru_cache(maxsize=64)
def probes(size: int) -> Floats:
    """Return fixed normally distributed columns, the same for every stencil.

    Parameters
    ----------
    size : int
        The number of rows.

    Returns
    -------
    (size, PROBES) array, read-only

    Notes
    -----
    For a normally distributed column z, E |K^-1 z|^2 = |K^-1|_F^2: the solutions tell how large the
    inverse is, for the price of a few right-hand sides. (Random signs have the same expectation,
    but where two nodes nearly coincide the inverse is large on their difference alone, which signs
    miss whenever they are equal.)

    Examples
    --------
    >>> probes(50).shape
    (50, 3)
    """
    columns = np.random.default_rng(size).standard_normal((size, PROBES))
    columns.flags.writeable = False  # cached: nobody may change it
    return columns
