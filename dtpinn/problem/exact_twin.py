"""The same residuals, at the same points, with exact derivatives."""

from __future__ import annotations

import torch

from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.forward_problem import ForwardProblem
from dtpinn.problem.posed import Posed
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.seams import with_seams

# Of the size of its values, what a model may change across a seam and still be periodic.
_JUMPS = 1e-8


def exact_twin(problem: Problem, model: Model) -> AutomaticProblem:
    """Return the residuals of a problem by automatic differentiation, in the faster way of the two.

    On the very same points, which follow the problem to its device. In forward mode, unless model
    or equation asks for what that does not know.

    Parameters
    ----------
    problem : Problem
    model : callable

    Raises
    ------
    ValueError
        On periodic nodes, for a model that is not: across the seam its derivatives tell nothing.
    """
    if problem.nodes.cell.periodic:
        _check_periodic(problem.posed, model)
    try:
        forward = ForwardProblem(problem.posed)
        with torch.no_grad():
            forward.residuals(model)
    except (ValueError, NotImplementedError):
        return AutomaticProblem(problem.posed)
    return forward


def _check_periodic(posed: Posed, model: Model) -> None:
    seams = AutomaticProblem(with_seams(posed))
    within = len(posed.regions)
    names = [region.name for region in seams.regions[within:]]
    residuals = seams.residuals(model)
    with torch.no_grad():
        size = float(seams.evaluate(model, seams.points).abs().max())
    for name in names:
        jump = float(residuals[name].detach().abs().max())
        if jump > _JUMPS * max(size, 1e-300):
            raise ValueError(
                f"defect correction: the model changes by {jump:.2g} across the seam {name!r}, and "
                "exact derivatives do not see that, as matrices do. Give the network the periods, "
                'as dtpinn.models.PeriodicMLP has them, or end with "gauss-newton"'
            )
