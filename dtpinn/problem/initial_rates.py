"""Does an initial condition give the rates that an equation of second order in time starts from?"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.problem.balance.sensitivity import Sensitivity, sensitivities
from dtpinn.problem.dry_run import WITH_VELOCITY
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import INITIAL


def check_initial_rates(posed: Posed) -> None:
    """Warn of fields with a second rate in the equations and no first one in ``initial()``.

    It is no error: data at later times may stand for it.

    Warns
    -----
    UserWarning
        That names the fields, and what to write.

    Examples
    --------
    >>> import torch, dtpinn
    >>> class AtRest(dtpinn.Wave):
    ...     def initial(self, u, D, x):
    ...         return u - torch.sin(x[:, 0])
    >>> line = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, torch.pi), spacing=0.2)
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     problem = dtpinn.discretize(AtRest(None, dtpinn.Dirichlet()), line, times=[0, 1])
    >>> str(told[0].message)[:59]
    'AtRest.initial() says nothing of the rate of the field(s) u'
    """
    if posed.time_order < 2:
        return
    # Not at zero, where the slopes of products vanish.
    by_name = sensitivities(posed, np.linspace(0.5, 1.5, posed.pde.field_count))
    starts = _slopes((by_name[INITIAL],), 1)
    needed = _slopes((s for name, s in by_name.items() if name != INITIAL), 2)
    if len(fields := np.flatnonzero((needed > 0.0) & (starts == 0.0))):
        warnings.warn(
            f"{type(posed.pde).__name__}.initial() says nothing of the rate of the field(s) "
            f"{', '.join(posed.pde.field_names[k] for k in fields)}, whose second derivative in "
            "time is in the equations: solve() and estimate() will refuse, and a training has "
            "nothing that chooses among its solutions. "
            f"Return {WITH_VELOCITY}, two residuals for each such field",
            stacklevel=3,
        )


def _slopes(residuals: Iterable[Sensitivity], order: int) -> Floats:
    """The largest slope of some residuals in a rate of each field."""
    found = [np.zeros(1)]
    for residual in residuals:
        found += [p.slopes.max(axis=(0, 1)) for p in residual.parts if p.operator == order]
    return np.asarray(np.max(np.broadcast_arrays(*found), axis=0))
