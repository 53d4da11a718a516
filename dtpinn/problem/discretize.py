"""discretize: an equation on nodes as a DT-PINN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem.arrangement import Corners, Ghosts
from dtpinn.problem.balance.weights import Choice
from dtpinn.problem.constraints import Constraint
from dtpinn.problem.data import Data
from dtpinn.problem.discrete_problem import DiscreteProblem
from dtpinn.problem.initial_rates import check_initial_rates
from dtpinn.problem.matrices import OwnName
from dtpinn.problem.problem import check_device
from dtpinn.problem.smooth import Smooth
from dtpinn.rbffd import Options

if TYPE_CHECKING:
    from typing_extensions import Unpack


def discretize(
    pde: PDE,
    nodes: Nodes,
    order: int = 4,
    *,
    times: Tensor | Sequence[float] | None = None,
    operators: Mapping[OwnName, Any] | None = None,
    ghosts: Ghosts = "auto",
    corners: Corners = "auto",
    data: Sequence[Data | Smooth] = (),
    constraints: Sequence[Constraint] = (),
    weights: Choice = "balanced",
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
    **options: Unpack[Options],
) -> DiscreteProblem:
    """Return the DT-PINN of an equation on nodes: equation (12), or (16) in space-time.

    The residuals are run once on dummies to learn which operators they need; these are assembled,
    on each region with one factorisation per stencil, and stacked into one matrix.

    Parameters
    ----------
    pde : PDE
    nodes : Nodes
    order : int
        p >= 2: derivatives are accurate to O(h^p).
    times : (n_times,), optional
        Makes it a space-time problem: all slices in one evaluation and one product. The first time
        is that of the initial condition.
    operators : mapping of name to matrix, optional
        Somebody's own matrices in place of RBF-FD's, by operator name ("laplacian", "normal",
        "partial(0)", ...), or by (region, operator name) where they differ: ("boundary",
        "partial(0)"). dtpinn.CSR, SciPy or torch sparse, with a row for every node of X (or, on the
        boundary, of X_b) and a column for every node of X~ (or of X, where ghosts play no part), in
        the order interior | boundary | ghost. The equation is required on the boundary as well, so
        rows there must hold the operator too, one-sided if need be.
        :meth:`DiscreteProblem.compare` tells whether a matrix is what it is called.
    ghosts : "auto", "all" or "none"
        Which ghost nodes serve. "auto": those of boundary nodes whose condition holds a derivative
        of the unknown; where it holds none (Dirichlet) the equation gives way to it on the boundary
        (:mod:`~dtpinn.problem.arrangement` says why). "all" is the paper's arrangement, with the
        equation on all of X. Given matrices that read ghosts keep all of them.
    corners : "auto", "each" or "mean"
        What holds where parts of the boundary meet. "each": the conditions of all of them, each
        with its own normal, in the place of the equation. "auto": the same, but where one of them
        gives the value of the unknown the others give way to it. "mean": one condition, that of the
        node's own part with the mean normal, beside the equation.
    data : sequence of Data, and Smooth
        What is known at points of their own, for unknown coefficients, :class:`Data`; and how fast
        a coefficient varies that data do not determine, :class:`Smooth`.
    constraints : sequence of Mean, Pin, Flux or Integral
        Further equations, each over many nodes: a mean value, a value at a point, a flux through a
        part. They are residuals like others. In :meth:`DiscreteProblem.solve` they complete a
        system that leaves something open (pure Neumann conditions, a pressure).
    weights : "balanced", "equal", "adaptive" or mapping of residual to float or Tensor
        How much each residual counts in the loss: :meth:`Problem.set_weights`. By default each by
        its own size; "equal" are the paper's; ``{"pde": 0.01}`` is a hundredth of the default.
    dtype : torch.dtype
        float64. With float32 the weights are still computed in float64.
    device : optional
    **options
        Of the assembly, `exponent`, `stencil_size`, `overlap`, ...:
        :class:`~dtpinn.rbffd.Options`.

    Raises
    ------
    TypeError, ValueError
        If a residual fails its dry run, or the nodes cannot carry the stencils; nothing has been
        assembled then.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: torch.sin(x[:, 0]))
    >>> problem = dtpinn.discretize(pde, nodes, order=4)
    >>> u = problem.solve()
    >>> exact = torch.sin(torch.tensor(nodes.collocation[:, 0]))
    >>> bool((u - exact).norm() < 1e-4 * exact.norm())
    True
    """
    check_device(device)
    problem = DiscreteProblem(
        pde, nodes, order, times, dtype, operators, options, ghosts=ghosts, corners=corners,
        constraints=constraints, data=data,
    )  # fmt: skip
    check_initial_rates(problem.posed)
    problem.set_weights(weights)
    return problem.to(device=device)
