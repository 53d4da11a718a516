"""How much data count once they are known to be noisy: so little that no equation bends to them.

The least loss trades the equation's residual for misfits. What an error e of the data does to the
coefficients is independent of its size, to first order, so that a weight serves all noise or none:
with weights of one size for all the equation bends until half of the noise is fitted, and unknown
coefficients vary with it. As the data's weight falls, the estimate becomes that of least squares
under an equation that holds, and nothing is lost below a certain weight but the speed of training:
noise tilts a solution along its longest waves, whose weight in the equation is 1 / size^2 there.

Exact data are fitted better the more they count, and train faster. So data count as the equation
does until they are seen to be noisy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dtpinn.problem.balance.attainable import attainable_state
from dtpinn.problem.balance.scales import FieldScales
from dtpinn.problem.balance.sensitivity import in_tune, sensitivities
from dtpinn.problem.balance.wavenumbers import of_domain
from dtpinn.problem.balance.weights import Weights
from dtpinn.problem.posed import Posed

# Of the weight of the longest waves in an equation. A tenth widens standard errors by up to a
# quarter where the noise is large; less costs L-BFGS more epochs, as the square root of it.
SHARE = 0.05
# A training has no more to gain from data whose squared misfit is this part of what it was.
REMAINS = 0.8


def unbending_multiple(posed: Posed, scales: FieldScales, weights: Weights) -> float:
    """Return the multiple of their balanced weights at which no equation bends to data.

    Parameters
    ----------
    posed : Posed
    scales : FieldScales
    weights : dict of name to tuple of float
        Of the residuals.
    """
    state = sensitivities(posed, attainable_state(posed, scales))
    longest = in_tune(of_domain(posed.nodes, posed.slices), state)
    least = 1.0
    for region in posed.nodal:
        size = state[region.name].sizes(longest) @ scales.unit * region.measure
        found = np.square(size) * np.asarray(weights[region.name])
        found = found[np.isfinite(found) & (found > 0.0)]
        least = min(least, *found) if len(found) else least
    return SHARE * float(least)


@dataclass(frozen=True)
class Misfit:
    """What is known of the noise of a set of data.

    Attributes
    ----------
    part : float
        Of the loss, if the data count as an equation does: as it is, or as noise lets expect it.
    count : int
        Of the values.
    remains : bool
        Whether training will not lower it any further.
    """

    part: float
    count: int
    remains: bool


def multiples_of_noisy(
    misfits: Mapping[str, Misfit], others: float, unbending: float, priors: Mapping[str, float]
) -> dict[str, float]:
    """Return the multiples of the data that are noisy; those not named keep their own.

    Noisy is what will remain of a misfit and is more than all that is left of the equation and its
    conditions: exact data would be fitted at their expense. Beside each other noisy data count by
    1 / variance, and so does what is known without data: `priors` are the parts of the loss that a
    single datum of their noise has. All of them together count as much as what training has left of
    the equation, so that this does not bend what is learnt instead; down to where no equation bends
    to them, for beyond that nothing is gained.

    Examples
    --------
    >>> fine, coarse = Misfit(1e-4, 10, True), Misfit(1e-2, 10, True)
    >>> multiples_of_noisy({"fine": fine, "coarse": coarse}, 1e-3, 0.01, {})
    {'coarse': 0.1}
    >>> multiples_of_noisy({"fine": fine, "coarse": coarse}, 1e-2, 0.01, {})
    {}
    >>> found = multiples_of_noisy({"fine": fine, "coarse": coarse}, 1e-6, 0.0101, {})
    >>> {name: round(multiple, 6) for name, multiple in found.items()}
    {'fine': 0.01, 'coarse': 0.0001}
    """
    noisy = {name: m.count / m.part for name, m in misfits.items() if m.remains and m.part > others}
    if not noisy:
        return {}
    mean = sum(misfits[name].count for name in noisy) / sum(noisy.values())
    each = max(unbending, others / mean) / sum(noisy.values())
    found = {name: each * precision for name, precision in noisy.items()}
    return found | {name: each / part for name, part in priors.items()}
