"""Figures of a discrete solution: what its constraints would hold, as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.constraint_place import Place
from dtpinn.problem.constraints import Constraint, constraint_regions
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.dry_run import dry_run
from dtpinn.problem.jacobian.linearize import Linearizer
from dtpinn.problem.matrices import assemble_matrices

# No other residual is called so.
_NAME = "what is measured"


def measure(system: DiscreteSystem, values: Floats, what: Constraint, *, sturdy: bool) -> Tensor:
    """Return a mean, an integral, a flux or the value at a point of nodal values.

    Parameters
    ----------
    system : DiscreteSystem
    values : (n,) or (n, fields) array, in space-time (n * times[, fields])
        On X~, or on X, where those on ghosts are not known: then by stencils of X alone.
    what : Mean, Integral, Flux or Pin
        Its own value plays no part.
    sturdy : bool
        As of :func:`~dtpinn.problem.matrices.assemble_matrices`.

    Returns
    -------
    Tensor, () or in space-time (times,)
        Of a complex field complex.

    Raises
    ------
    TypeError, ValueError
        As of a constraint; or if it takes rates in time, which values do not tell.
    """
    posed, everywhere = system.posed, len(system.posed.nodes.extended) * system.posed.slices.count
    if len(values) < everywhere:
        posed = replace(posed, nodes=posed.nodes.with_ghosts_of(np.arange(0)))
    nodes, slices = posed.nodes, posed.slices
    place = Place(nodes, system.order, slices, torch.float64, posed.pde.field_names)
    regions = constraint_regions([replace(what, value=0.0, name=_NAME)], place)
    requests = dry_run(posed.pde, regions)
    if any(region.time_order for region in regions):
        raise ValueError("measure: values do not tell rates in time; leave D.time out of it")
    held = {region.name for region in posed.constraints}
    others = [request for request in posed.requests if request.region not in held]
    matrices = assemble_matrices(
        nodes, regions, [*others, *requests], system.order, None, system.options, sturdy=sturdy
    )
    linearize = Linearizer(posed, regions, matrices, slices)
    rates = [np.zeros_like(values)] * linearize.time_order
    found = linearize(values, *rates).residuals
    parts = [torch.from_numpy(found[region.name][:, 0]) for region in regions]
    total = parts[0] if len(parts) == 1 else torch.complex(*parts)
    return total[0] if slices.steady else total
