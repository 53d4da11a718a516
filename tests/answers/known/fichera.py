"""Fichera's corner: -Laplacian u = 1 in a cube less an eighth of it, u = 0 on the faces.

Singular along three edges (as r**(2/3)) and at the corner where they meet (as r**0.454). The answer
is the seven-point formula on two grids, extrapolated: its error is mostly h**(4/3), that of an
edge. Judged away from the edges, where it is right to 5e-4.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.sparse as sp
from scipy.interpolate import RegularGridInterpolator
from scipy.sparse.linalg import cg

from dtpinn import Dirichlet, Poisson
from dtpinn.geometry import Box
from tests.answers.known.question import Array, Question, constant


@cache
def differences(n: int) -> Array:
    """u on the grid of n cells to the unit, 0 on the faces and in the eighth; (2n + 1,) * 3."""
    axis = np.arange(1, 2 * n)
    free = ~np.logical_and.reduce(np.meshgrid(axis >= n, axis >= n, axis >= n, indexing="ij"))
    second = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(len(axis),) * 2)
    one = sp.eye_array(len(axis))
    along_z = sp.kron(one, sp.kron(one, second))
    matrix = sp.kron(second, sp.kron(one, one)) + sp.kron(one, sp.kron(second, one)) + along_z
    rows = np.flatnonzero(free)
    u, failed = cg(matrix.tocsr()[rows][:, rows], np.full(len(rows), 1.0 / n**2), rtol=1e-9)
    assert failed == 0
    inner = np.zeros(free.size)
    inner[rows] = u
    return np.pad(inner.reshape(free.shape), 1)


@cache
def field(n: int) -> RegularGridInterpolator:
    """The grid's u as a function of points."""
    return RegularGridInterpolator((np.linspace(-1, 1, 2 * n + 1),) * 3, differences(n), "cubic")


def answer(x: Array) -> Array:
    """u at points (n, 3), extrapolated with the power 4/3 of the spacing."""
    coarse, fine = (field(n)(np.clip(x, -1, 1)) for n in (16, 32))
    return fine + (fine - coarse) / (2 ** (4 / 3) - 1)


def far_from_edges(x: Array) -> Array:
    """Whether all three edges of the missing eighth are 0.3 away, or more."""
    x = np.sort(x, axis=1)  # the nearest edge is along the axis of the largest coordinate
    past = np.minimum(x[:, 2], 0)
    return np.linalg.norm(np.column_stack([x[:, :2], past]), axis=1) > 0.3


CORNER = Question(
    domain=Box((-1, -1, -1), (1, 1, 1)) - Box((0, 0, 0), (2, 2, 2)),
    equation=lambda: Poisson(constant(-1.0), Dirichlet()),
    answer=answer,
    spacings=(0.22, 0.18, 0.14),
    within=0.1,
    orders=(2, 4),
    rate=4 / 3,
    judged=far_from_edges,
)
