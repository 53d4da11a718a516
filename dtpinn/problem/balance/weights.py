"""Weights: how much each equation and condition counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.balance.attainable import attainable_state
from dtpinn.problem.balance.scales import FieldScales
from dtpinn.problem.balance.sensitivity import in_tune, sensitivities
from dtpinn.problem.balance.wavenumbers import in_the_middle, of_domain
from dtpinn.problem.data_regions import DataRegion
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import Region

Chosen = Literal["balanced", "equal", "adaptive"] | Mapping[str, float | Tensor]
Choice = Chosen | Mapping[str, float | Tensor | Floats]
_PERCENT = 0.01
Weights = dict[str, tuple[float, ...]]
"""By name of the residual: of each of its equations, or one for all."""


def equal_weights(names: list[str]) -> Weights:
    """Return 1 for every residual: the paper's."""
    return dict.fromkeys(names, (1.0,))


def balanced_weights(posed: Posed, scales: FieldScales, choice: Chosen) -> Weights:
    """Return the weight of every equation of every residual, by name of the residual.

    1 / size^2, the size being that of the residual for waves of each field, of the field's own
    size, in the middle of the wavenumbers that the nodes can hold. Where there is a rate of change
    it is that of the longest wave, over the whole of the times: what such an equation leaves is
    added up from the first slice to the last, and a network that is not held to it jumps between
    two slices, where no loss sees it, to wherever the other residuals vanish. Equations of second
    order in time swing: there, and in an initial velocity, it is the frequency of that wave.
    """
    multiples = {} if isinstance(choice, str) else choice
    middle, longest = (f(posed.nodes, posed.slices) for f in (in_the_middle, of_domain))
    # Away from the centre, where the slopes of a product such as u u_x may vanish.
    states = [sensitivities(posed, s) for s in (attainable_state(posed, scales), scales.centre)]
    longest = in_tune(longest, states[0])
    result: Weights = {}
    # A constraint is a sum of what is sized point by point.
    sums = {region.name: region.measure for region in posed.spatial}
    priors = {region.name: region for region in posed.data if region.prior}
    for name, first in states[0].items():
        if name in priors:
            result[name] = (_weight_of_prior(posed, priors[name]),)
            continue
        chosen = next((s[name] for s in states if s[name].finite), first)
        sizes = (
            chosen.sizes(longest if chosen.in_time else middle) @ scales.unit * sums.get(name, 1.0)
        )
        known = np.isfinite(sizes) & (sizes > 0.0)
        balanced = np.where(known, np.where(known, sizes, 1.0) ** -2.0, 1.0)
        result[name] = tuple((multiple_of(name, multiples) * balanced).tolist())
    return result


def _weight_of_prior(posed: Posed, region: DataRegion) -> float:
    """As long as data have no noise that is known: they have a percent."""
    count = sum(other.values.numel() for other in posed.data if not other.prior)
    assert region.noise is not None
    return _PERCENT**2 / count * region.share / region.noise**2


def multiple_of(name: str, multiples: Mapping[str, float | Tensor]) -> float:
    """Return the number that was asked for a residual, or for what its name begins with.

    "boundary" stands for all of its parts, "boundary.right" for all conditions there.

    Examples
    --------
    >>> multiple_of("boundary.left", {"boundary": 3.0, "boundary.right": 5.0})
    3.0
    """
    key = asked_for(name, multiples)
    asked = 1.0 if key is None else multiples[key]
    return 1.0 if isinstance(asked, Tensor) else asked


def asked_for(name: str, multiples: Mapping[str, float | Tensor]) -> str | None:
    """Return by what name a residual is in a mapping, its own or one that stands for it."""
    return next((key for key in _stand_for(name) if key in multiples), None)


def _stand_for(name: str) -> list[str]:
    """A residual's own name, and all that it begins with, the longest first."""
    words = name.split(".")
    return [".".join(words[:k]) for k in range(len(words), 0, -1)]


def point_weights(choice: Chosen, regions: Sequence[Region], times: int) -> dict[str, Tensor]:
    """Return the multiples that were given point by point, one for each row of the residual.

    Raises
    ------
    ValueError
        If there is not one number of at least 0 for each of its points, or for each at every time.
    """
    found: dict[str, Tensor] = {}
    by_name = {region.name: region for region in regions}
    for name, weight in {} if isinstance(choice, str) else choice.items():
        if not isinstance(weight, Tensor):
            continue
        region = by_name.get(name)
        if region is None or region.summing is not None:
            raise ValueError(
                f"weights[{name!r}]: weights of points are for one residual that holds at points, "
                f"such as {regions[0].name!r}"
            )
        rows, fine = len(region.points), weight.dim() == 1 and bool((weight >= 0.0).all())
        if (
            not fine
            or not bool(weight.isfinite().all())
            or len(weight) not in (rows, rows // times)
        ):
            raise ValueError(
                f"weights[{name!r}] must be a number, or a tensor of {rows} numbers of at least 0, "
                f"one for each row of the residual, got shape {tuple(weight.shape)}"
            )
        found[name] = weight.detach().repeat_interleave(rows // len(weight))
    return found


def as_chosen(choice: Choice) -> Chosen:
    """Return a choice with arrays as tensors."""
    if not isinstance(choice, Mapping):
        return choice
    return {
        name: torch.from_numpy(w) if isinstance(w, np.ndarray) else w for name, w in choice.items()
    }


def check_weights(choice: object, names: list[str]) -> None:
    """Raise unless a choice can be one for residuals of these names.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_weights({"boundry": 2.0}, ["pde", "boundary"])
    Traceback (most recent call last):
        ...
    ValueError: weights: there is no residual 'boundry'; there are pde, boundary
    """
    if isinstance(choice, str):
        if choice not in ("balanced", "equal", "adaptive"):
            raise ValueError(
                'weights must be "balanced", "equal", "adaptive" or a mapping of residual to '
                f"multiple of the balanced weight, got {choice!r}"
            )
        return
    if not isinstance(choice, Mapping):
        raise TypeError(
            'weights: expected "balanced", "equal", "adaptive" or a mapping of residual to '
            f"multiple of the balanced weight, got {type(choice).__name__}"
        )
    known = {key for name in names for key in _stand_for(name)}
    for name, weight in choice.items():
        if name not in known:
            raise ValueError(
                f"weights: there is no residual {name!r}; there are {', '.join(names)}"
            )
        if isinstance(weight, (Tensor, np.ndarray)):
            continue  # checked with the points that it is for
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not number or not 0.0 <= weight < float("inf"):
            raise ValueError(f"weights[{name!r}] must be a number of at least 0, got {weight!r}")
