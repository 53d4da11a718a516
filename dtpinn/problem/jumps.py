"""Where a coefficient that is differentiated jumps: its gradient does not tell."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy.spatial import cKDTree

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE, Known
from dtpinn.pde.diffusion import with_gradient

# What two neighbours' gradients may leave unexplained of the difference of their values, relative
# to the smaller of these: a jump of a tenth. At less, a smooth coefficient costs no accuracy to
# speak of.
_UNEXPLAINED = 0.1
_NEIGHBOURS = 4


def warn_of_jumps(pde: PDE, nodes: Nodes) -> None:
    """Warn of known coefficients whose gradient is used, and is not theirs between some nodes.

    An interface between two materials lies between nodes: at each of them the gradient is 0, and
    div(k grad u) becomes k Laplacian u, of which the flux is not continuous.

    Warns
    -----
    UserWarning
        With the place.
    """
    used = {
        id(value): (name, value)
        for module in pde.modules()
        for name, value in vars(module).items()
        if isinstance(value, Known) and value.is_differentiated
    }
    for name, coefficient in used.values():
        _check(name, coefficient, nodes)


def _check(name: str, coefficient: Known, nodes: Nodes) -> None:
    x = torch.tensor(nodes.collocation)
    try:
        at, gradient = with_gradient(coefficient, x)
    except TypeError:  # it depends on the time as well
        return
    points, value, slopes = nodes.collocation, at.expand(len(x)).numpy(), gradient.numpy()
    _, near = cKDTree(points).query(points, k=min(_NEIGHBOURS + 1, len(points)))
    step = points[near] - points[:, None]
    told = 0.5 * np.einsum("nkd,nkd->nk", slopes[near] + slopes[:, None], step)
    left = np.abs(value[near] - value[:, None] - told)
    size = np.minimum(np.abs(value[near]), np.abs(value[:, None]))
    if (jumps := left > _UNEXPLAINED * size).any():
        worst = int(jumps.any(axis=1).argmax())
        warnings.warn(
            f"{name}: between neighbouring nodes near {points[worst]} it changes by more than its "
            "gradient tells: it jumps there, or varies faster than the spacing. The flux is then "
            "wrong by as much. Pieces of different materials are dtpinn.geometry.Subdomains; what "
            "only varies fast needs a smaller spacing",
            stacklevel=2,
        )
