"""A discrete solution at a place between its nodes, with its gradient."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from known.question import Array

CUBIC = [(i, j) for i in range(4) for j in range(4 - i)]
FIRST, ALONG_X, ALONG_Y = CUBIC.index((0, 0)), CUBIC.index((1, 0)), CUBIC.index((0, 1))


def value_and_gradient(points: Array, u: Array, place: Array) -> tuple[Array, Array]:
    """u (n,) or (n, fields) and its gradient, the axis first, by a cubic through 20 neighbours."""
    _, near = cKDTree(points).query(place, k=20)
    away = points[near] - place
    size = np.abs(away).max()
    basis = np.stack([(away[:, 0] / size) ** i * (away[:, 1] / size) ** j for i, j in CUBIC], 1)
    fit = np.linalg.lstsq(basis, u[near], rcond=None)[0]
    return fit[FIRST], fit[[ALONG_X, ALONG_Y]] / size
