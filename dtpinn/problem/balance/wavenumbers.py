"""Wavenumbers of a discretisation, and how large an operator is at one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dtpinn.nodes import Nodes
from dtpinn.operators import Operator, Space
from dtpinn.problem.time_slices import TimeSlices


@dataclass(frozen=True)
class Wavenumbers:
    """A wave in space and one in time.

    Attributes
    ----------
    space : float
        1 / length.
    time : float
        1 / time; 0 in a steady problem.
    """

    space: float
    time: float

    def size(self, operator: Operator, dimension: int) -> float:
        """Return what a spatial operator multiplies such a wave by, without its sign.

        The wave runs along no axis in particular, so the Laplacian gives the square of the
        wavenumber in every dimension.

        Examples
        --------
        >>> from dtpinn.operators import laplacian
        >>> round(Wavenumbers(3.0, 0.0).size(laplacian, 2), 9)
        9.0
        """
        if operator.along_normal:
            return self.space
        along_axis = self.space / math.sqrt(dimension)
        terms = operator.terms_at(Space(dimension))
        return float(sum(abs(c) * along_axis ** sum(alpha) for alpha, c in terms.items()))


def of_domain(nodes: Nodes, slices: TimeSlices) -> Wavenumbers:
    """Return pi / L and 1 / T: those of a solution as smooth as domain and duration let it be.

    In time it is not a wave between two ends, but what grows from one.
    """
    in_time = 0.0 if slices.steady else 1.0 / slices.duration
    return Wavenumbers(math.pi / _length(nodes), in_time)


def in_the_middle(nodes: Nodes, slices: TimeSlices) -> Wavenumbers:
    """Return the geometric mean of the domain's wavenumber and the finest, 1 / h.

    In between lies everything that the nodes can hold. What is scaled here is off by the same
    factor at either end, where a choice of one end would be off by the square of it at the other.
    """
    domain = of_domain(nodes, slices)
    return Wavenumbers(math.sqrt(domain.space / nodes.spacing), domain.time)


def _length(nodes: Nodes) -> float:
    """The side of a cube of the volume of the bounding box."""
    extent = np.ptp(nodes.collocation, axis=0)
    return float(np.exp(np.log(np.maximum(extent, nodes.spacing)).mean()))
