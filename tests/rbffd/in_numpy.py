"""The linear systems (9) of a batch of stencils in plain NumPy, to read and to compare with.

The library's are built and solved in C++, csrc/rbffd.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre

from dtpinn.rbffd.tables import PROBES, derivative_terms, multi_indices, probes


def saddle_point_matrices(offsets, rule):
    """[[A, P], [P', 0]] of equation (9), (stencils, n+q, n+q), for offsets (stencils, n, d).

    A_ij = |x_i - x_j|^m and P_ij = q_j(x_i), equation (10).
    """
    distance = np.linalg.norm(offsets[:, :, None] - offsets[:, None], axis=-1)
    P = legendre_products(offsets, rule.degree)
    corner = np.zeros((len(offsets), P.shape[2], P.shape[2]))
    return np.block([[distance**rule.exponent, P], [P.swapaxes(1, 2), corner]])


def right_hand_sides(offsets, rule, derivatives):
    """Columns [D^alpha a; D^alpha q] of equation (11) at the centre, then the probes."""
    count, n, dimension = offsets.shape
    rhs = np.empty((count, rule.unknowns, len(derivatives) + PROBES))
    for k, alpha in enumerate(derivatives):
        rhs[:, :n, k] = polyharmonic(-offsets, rule.exponent, alpha)  # x - x_j at x = 0
        rhs[:, n:, k] = legendre_products(np.zeros(dimension), rule.degree, alpha)
    rhs[:, :, len(derivatives) :] = probes(rule.unknowns)
    return rhs


def polyharmonic(xi, exponent, alpha):
    """D^alpha |xi|^m, (...), for xi (..., d); 0 at xi = 0, where m > |alpha| is odd."""
    r = np.linalg.norm(xi, axis=-1)
    direction = xi / np.where(r > 0.0, r, 1.0)[..., None]
    terms = derivative_terms(exponent, alpha)
    return r ** (exponent - sum(alpha)) * sum(c * (direction**beta).prod(-1) for beta, c in terms)


def legendre_products(x, degree, alpha=None):
    """D^alpha of q_j(x) = prod_i P_(j_i)(x_i), (..., q), for x (..., d)."""
    columns = np.array(multi_indices(x.shape[-1], degree))
    values = 1.0
    for axis, times in enumerate(alpha or (0,) * x.shape[-1]):
        # Each column of the series is one P_k; legder differentiates along axis 0.
        series = legendre.legder(np.eye(degree + 1), times)
        along = np.moveaxis(legendre.legval(x[..., axis], series), 0, -1)
        values = values * along[..., columns[:, axis]]
    return values
