"""A state away from the centre that a solution may have, at which slopes are taken."""

from __future__ import annotations

from dtpinn.arrays import Floats
from dtpinn.problem.balance.scales import FieldScales
from dtpinn.problem.balance.sensitivity import in_tune, sensitivities
from dtpinn.problem.balance.wavenumbers import of_domain
from dtpinn.problem.posed import Posed

# How many times what an equation has at the centre, and linear terms of a solution of the expected
# size: no other term grows beyond that, for nothing would balance it.
_MOST = 2.0
_HALVINGS = 40


def attainable_state(posed: Posed, scales: FieldScales) -> Floats:
    """Return the centre and as much of the unit as the equations' own terms allow.

    The unit is that of a linear equation. A term that grows faster keeps the solution from it: with
    k exp(3 u) against a source of 30 the unit is 10, and u stays below 2. Slopes at 10 would be
    e^30, and the equation would weigh nothing, with its unknown factor.

    Parameters
    ----------
    posed : Posed
    scales : FieldScales

    Returns
    -------
    (fields,) array
    """
    here = sensitivities(posed, scales.centre)
    at = in_tune(of_domain(posed.nodes, posed.slices), here)
    most = {name: _MOST * (s.rms + s.sizes(at) @ scales.unit) for name, s in here.items()}
    part = scales.unit
    for _ in range(_HALVINGS):
        there = sensitivities(posed, scales.centre + part)
        if all((s.rms <= most[name]).all() for name, s in there.items()):  # not of NaN
            return scales.centre + part
        part = part / 2.0
    return scales.centre + scales.unit
