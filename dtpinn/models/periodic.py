"""A perceptron on harmonics, exactly periodic in the coordinates that are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dtpinn.checks import check_count, check_number
from dtpinn.models.network import Network


class PeriodicMLP(Network):
    """An :class:`~dtpinn.models.MLP` that is periodic, with all its derivatives.

    Of a coordinate x with a period its first layer sees ``cos(2 pi k x / period)`` and ``sin``, for
    k = 1, ..., `harmonics`; other coordinates it sees as they are. So no condition has to tie the
    two ends together.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    periods : float, or sequence of float or None
        Of every coordinate, in its own unit; None where it is not periodic, as time usually is not.
        A number is the period of all.
    harmonics : int
        How many waves in each periodic coordinate. One is enough for any periodic function, as
        layers above make the others of it; more make short waves easier to learn.
    width, depth, fields, activation, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`. The normalisation leaves the periods as they
        are.

    Raises
    ------
    TypeError, ValueError
        Also for periods that are not as many as coordinates, or not positive.

    Notes
    -----
    Dong & Ni, "A method for representing periodic functions and enforcing exactly periodic boundary
    conditions with deep neural networks" (2021), arXiv:2007.07442.

    Examples
    --------
    >>> model = PeriodicMLP(2, periods=(2.0, None), width=20, depth=2, seed=0)
    >>> points = torch.tensor([[0.3, 0.5], [2.3, 0.5], [0.3, 2.5]], dtype=torch.float64)
    >>> model(points).isclose(model(points[0])).tolist()
    [True, True, False]
    """

    waves: Tensor
    plain: Tensor

    def __init__(
        self,
        inputs: int,
        *,
        periods: float | Sequence[float | None] = 2.0 * math.pi,
        harmonics: int = 3,
        **shared: Any,
    ) -> None:
        check_count("PeriodicMLP", "inputs", inputs)
        check_count("PeriodicMLP", "harmonics", harmonics)
        self.periods = _checked(periods, inputs)
        self.harmonics = harmonics
        super().__init__(inputs, **shared)

    def draw(self) -> None:
        """Set wave vectors, in radians per unit of the coordinates, and layers."""
        # In double precision until the dtype is known: a period that is rounded is another one.
        every = torch.eye(self.inputs, dtype=torch.float64, device="cpu")
        waves = [
            axis * (2.0 * math.pi * k / period)
            for axis, period in zip(every, self.periods, strict=True)
            if period is not None
            for k in range(1, self.harmonics + 1)
        ]
        others = [axis for axis, period in enumerate(self.periods) if period is None]
        self.register_buffer("waves", torch.stack(waves) if waves else every[:0])
        self.register_buffer("plain", every[others])
        features = 2 * len(waves) + len(others)
        self.layers = self.linear_layers([features, *[self.width] * self.depth, self.fields])

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        waves = self.waves
        if self.normalisation is not None:  # x is in its units
            waves = waves / self.normalisation.factor
        phases = x @ waves.mT
        features = [torch.cos(phases), torch.sin(phases), x @ self.plain.mT]
        return self.perceptron(torch.cat(features, dim=-1))

    def config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().config(), "periods": self.periods, "harmonics": self.harmonics}


def _checked(periods: Any, inputs: int) -> tuple[float | None, ...]:
    """One period, or None, for each coordinate."""
    if isinstance(periods, Sequence) and not isinstance(periods, str):
        if len(periods) != inputs:
            raise ValueError(
                f"PeriodicMLP: expected a period, or None, for each of the {inputs} inputs, got "
                f"{len(periods)}: {periods!r}"
            )
        given = tuple(periods)
    else:
        given = (periods,) * inputs
    return tuple(
        None if period is None else check_number("PeriodicMLP", "period", period, above=0.0)
        for period in given
    )
