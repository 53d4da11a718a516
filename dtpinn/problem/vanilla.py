"""vanilla: the PINN to compare with, with derivatives by automatic differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem.arrangement import Corners, arrange, interior_alone
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.balance.weights import Choice
from dtpinn.problem.constraints import Constraint
from dtpinn.problem.data import Data
from dtpinn.problem.forward_problem import ForwardProblem
from dtpinn.problem.initial_rates import check_initial_rates
from dtpinn.problem.posed import pose
from dtpinn.problem.problem import check_device
from dtpinn.problem.seams import with_seams
from dtpinn.problem.smooth import Smooth

MODES = {"reverse": AutomaticProblem, "forward": ForwardProblem}


def vanilla(
    pde: PDE,
    nodes: Nodes,
    *,
    times: Tensor | Sequence[float] | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
    collocation: Literal["interior", "all"] = "interior",
    mode: Literal["reverse", "forward"] = "reverse",
    corners: Corners = "auto",
    data: Sequence[Data | Smooth] = (),
    constraints: Sequence[Constraint] = (),
    weights: Choice = "balanced",
) -> AutomaticProblem:
    """Return the autograd PINN of an equation on the same nodes, to compare with.

    Parameters
    ----------
    pde : PDE
    nodes : Nodes
        Ghost nodes are not used. Of periodic ones values and derivatives are matched across the
        seam, in residuals ``"periodic.x"``, ...; a network that is periodic leaves nothing of them.
    times : (n_times,), optional
        Makes it a space-time problem.
    dtype : torch.dtype
        float64; the paper's vanilla PINNs are float32.
    device : optional
    collocation : "interior" or "all"
        Where the equation is required: in the interior, equation (4), or on the boundary as well,
        wherever a DT-PINN on these nodes requires it (:mod:`dtpinn.problem.arrangement`).
    mode : "reverse" or "forward"
        How the derivatives are taken: by nested backward passes, for any model and order; or with
        the values in one forward pass (Taylor mode, a forward Laplacian), for derivatives up to the
        second and models of the usual torch functions. Forward is the faster one. The residuals are
        the same to round-off.
    corners : "auto", "each" or "mean"
        Which conditions hold where parts of the boundary meet: see :func:`dtpinn.discretize`.
    data : sequence of Data
        As of :func:`dtpinn.discretize`.
    constraints : sequence of Mean, Pin, Flux or Integral
        As of :func:`dtpinn.discretize`; sums of nodal values here as well.
    weights : "balanced", "equal", "adaptive" or mapping of residual to float or Tensor
        As of :func:`dtpinn.discretize`, whose weights are the same on the same nodes.

    Raises
    ------
    ValueError, TypeError
        If a residual fails its dry run, or asks for a third derivative in forward mode.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
    >>> problem = dtpinn.vanilla(pde, nodes)
    >>> exact = problem.loss(lambda x: x[:, 0] ** 2)
    >>> bool(exact < 1e-25)
    True
    >>> model = dtpinn.MLP(2, seed=0)
    >>> forward = dtpinn.vanilla(pde, nodes, mode="forward").loss(model)
    >>> bool((forward - problem.loss(model)).abs() < 1e-13 * forward)
    True
    """
    if collocation not in ("interior", "all"):
        raise ValueError(f'collocation must be "interior" or "all", got {collocation!r}')
    if mode not in MODES:
        raise ValueError(f'mode must be "reverse" or "forward", got {mode!r}')
    check_device(device)
    arrangement = interior_alone if collocation == "interior" else partial(arrange, ghosts="auto")
    posed = with_seams(pose(pde, nodes, times, dtype, corners, arrangement, constraints, data))
    check_initial_rates(posed)
    problem = MODES[mode](posed).to(device=device)
    problem.set_weights(weights)
    return problem
