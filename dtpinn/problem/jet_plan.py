"""JetPlan: which derivatives jets carry on a region, and where in their stack they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dtpinn.jets import Jet, Layout
from dtpinn.operators import MultiIndex, Operator, Space, identity, normal, partial
from dtpinn.problem.dry_run import label
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time

Terms = tuple[tuple[MultiIndex, float], ...]


class JetPlan:
    """What jets carry at the places of one region: what its residual asks for and not more.

    First derivatives along axes, and along the normal, which is a direction of its own: on the
    boundary ``D.normal(u)`` costs one pass beside that of the values, not one for each axis. Second
    derivatives one by one where they are asked for so, but a sum of them, such as the Laplacian, as
    a single component.

    Raises
    ------
    ValueError
        If an operator is of a higher order.
    """

    def __init__(self, region: Region, asked: Sequence[Operator]) -> None:
        for operator in asked:
            _check_order(operator, region)
        self._dimension = dimension = region.points.shape[1]
        pieces = {piece for operator in asked for piece in self._pieces(operator)}
        # A sum whose terms are all carried for others is added up when it is read.
        seconds = sorted(
            piece
            for piece in pieces
            if _order(piece) == 2 and (len(piece) == 1 or not all((t,) in pieces for t in piece))
        )
        axes = {axis for piece in pieces for alpha, _ in piece for axis in _axes(alpha)}
        self._axes = sorted(axes) + [dimension] * (region.time_order > 0)
        self._normal = any(operator.products == normal.products for operator in asked)
        forms = [tuple(self._term(alpha, c) for alpha, c in piece) for piece in seconds]
        time = len(self._axes) - 1
        if region.time_order == 2:
            forms.append(((time, time, 1.0),))
        self.layout = Layout(len(self._axes) + self._normal, tuple(forms))
        self._in_time = {1: 1 + time, 2: self.layout.size - 1}
        firsts = [self._terms(partial(k)) if k < dimension else "time" for k in self._axes]
        carried = [self._terms(identity), *firsts, *[()] * self._normal, *seconds]
        self._where = {terms: k for k, terms in enumerate(carried)}

    def _term(self, alpha: MultiIndex, c: float) -> tuple[int, int, float]:
        i, j = (self._axes.index(axis) for axis in _axes(alpha))
        return i, j, c

    def start(self, region: Region, places: Tensor) -> Jet:
        """Return places as the model takes them, with their derivatives in each direction.

        Parameters
        ----------
        region : Region
        places : (n, d) Tensor
            Its points, or those that a map has made of them.
        """
        values = with_time(places, region.time)
        stack = values.new_zeros(self.layout.size, *values.shape)
        stack[0] = values
        for row, axis in enumerate(self._axes, start=1):
            stack[row, :, axis] = 1
        if region.normals is not None and self._normal:
            stack[self.layout.directions, :, : self._dimension] = region.normals
        return Jet(stack, self.layout)

    def read(self, components: Sequence[Tensor], operator: Operator) -> Tensor:
        """Return an operator applied to what has these components."""
        terms = self._terms(operator)
        if terms in self._where:
            return components[self._where[terms]]
        parts = [c * components[self._where[((alpha, 1.0),)]] for alpha, c in terms]
        return torch.stack(parts).sum(0)

    def rate(self, components: Sequence[Tensor], order: int) -> Tensor:
        """Return a derivative in time of what has these components."""
        return components[self._in_time[order]]

    def _pieces(self, operator: Operator) -> list[Terms]:
        """What to carry for it: all of it if it is of second order, else each of its terms."""
        terms = self._terms(operator)
        if all(sum(alpha) == 2 for alpha, _ in terms):
            return [terms] if terms else []
        return [((alpha, 1.0),) for alpha, _ in terms]

    def _terms(self, operator: Operator) -> Terms:
        """Its partial derivatives; none of the one along the normal, which is carried by itself."""
        if operator.along_normal:
            return ()
        return tuple(operator.terms_at(Space(self._dimension)).items())


def _order(terms: Terms) -> int:
    return max(sum(alpha) for alpha, _ in terms)


def _axes(alpha: MultiIndex) -> list[int]:
    """(1, 0, 1) -> [0, 2]; (0, 2) -> [1, 1]."""
    return [axis for axis, order in enumerate(alpha) for _ in range(order)]


def _check_order(operator: Operator, region: Region) -> None:
    if operator.order > 2:
        raise ValueError(
            f'vanilla: mode="forward" carries derivatives up to the second, but '
            f"{label(region.function)} asks for {operator.name}, which is of order "
            f'{operator.order}; use mode="reverse"'
        )
