"""normalise: fit the inputs and outputs of a network to a problem, before it is trained."""

from __future__ import annotations

import torch
from torch import nn

from dtpinn.models import Normalisation
from dtpinn.problem import Problem

# Of the duration, on either side: the box is four times as long as the times.
_MARGIN = 1.5


def normalise(model: nn.Module, problem: Problem) -> bool:
    """Set the normalisation of a network, if it has one that is not set; whether it was.

    Points: the bounding box of the nodes, and the times. Values: centre and size of every field as
    :attr:`Problem.scales` expects them from the equation and its data. So the network does not see
    in which units the problem is written. ``fit`` calls it for networks that are still as they were
    drawn; a trained one would lose what it has learnt.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (1e-5, 1e-5)), spacing=1e-6)
    >>> problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet()), nodes)
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> normalise(model, problem), normalise(model, problem)
    (True, False)
    >>> bool(model.normalisation.inwards(problem.points).abs().max() < 2.001)
    True
    """
    normalisation = getattr(model, "normalisation", None)
    if not isinstance(normalisation, Normalisation) or bool(normalisation.known):
        return False
    x, scales = torch.tensor(problem.nodes.collocation), problem.scales
    low, high = x.amin(dim=0), x.amax(dim=0)
    if problem.times is not None:
        # A loss on slices does not see between them, where only the network's smoothness in time
        # ties them: it is given less of a range there, [-1/2, 1/2].
        first, last = problem.times[:1], problem.times[-1:]
        margin = _MARGIN * (last - first)
        low, high = torch.cat([low, first - margin]), torch.cat([high, last + margin])
    centre, unit = torch.from_numpy(scales.centre), torch.from_numpy(scales.unit)
    normalisation.set(low, high, centre=centre, unit=unit)
    return True


def is_as_drawn(model: nn.Module) -> bool:
    """Whether a network that remembers how it was drawn has learnt nothing since."""
    drawn = getattr(model, "drawn", None)
    return drawn is not None and bool(drawn.is_still(model))
