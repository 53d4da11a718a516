"""The error of a model by its own exact residual: what one linear solve makes of it.

With L the equation and its conditions, u the solution and m the model, ``L u = 0`` and
``L m = r``: the error e = m - u solves ``J e = r`` to first order, J being that of L at m.
Here r is exact, by automatic differentiation, and J that of the matrices. So e is known to the
relative error of the discretisation, however small e is, below the floor as well, where the
difference of two discrete solutions tells nothing of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.direct.newton import Newton
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.fresh import between
from dtpinn.problem.problem import Model
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import TimeSlices


def errors_by_defect(
    system: DiscreteSystem, model: Model, constraints: Sequence[Region] = ()
) -> Iterator[Floats]:
    """Yield the error of a model on X~, by its residual at the nodes and by that beside them.

    A model is trained at the nodes, and may leave far more between them: the equation is taken at
    the nodes first, then at the points of :func:`~dtpinn.problem.fresh.between`, one for each node,
    which nobody has trained at. Conditions are taken at the nodes of the boundary both times, and
    constraints by the weights that the system has, then by others: a quadrature has an error of its
    own.

    Parameters
    ----------
    system : DiscreteSystem
        Steady, in float64.
    model : callable
    constraints : sequence of Region
        Those of the system, by other weights.

    Raises
    ------
    ValueError
        If the system is not square, or something is known at the nodes alone.
    RuntimeError
        If it is singular at the model.
    """
    posed = system.posed
    problem = AutomaticProblem(posed)
    x = torch.tensor(posed.nodes.extended, dtype=posed.dtype, device=posed.device)
    with torch.no_grad():
        values = problem.evaluate(model, x).double().cpu().numpy()
    newton = Newton(system, values)
    regions = [*system.regions_to_solve, *posed.constraints]

    def exact(region: Region) -> Floats:
        r: Tensor = problem.automatic_residual(model, region).detach()
        return np.asarray(r.reshape(len(r), -1).double().cpu().numpy())

    residuals = {region.name: exact(region) for region in regions}
    yield newton.answer(residuals)
    residuals |= {region.name: exact(region) for region in constraints}
    points = between(posed.nodes)
    equations = [region for region in system.regions_to_solve if not region.on_boundary]
    for region in equations:
        beside = Region(
            region.name, region.function, points, region.rows, region.share, TimeSlices(),
            posed.dtype,
        ).to(posed.device)  # fmt: skip
        residuals[region.name] = exact(beside)
    yield newton.answer(residuals)
