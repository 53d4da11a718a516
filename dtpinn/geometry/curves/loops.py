"""A domain in the plane that is nothing but its boundary curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dtpinn.geometry.arc import Curve
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.curves.planar import Planar


@dataclass(frozen=True)
class Loops(Planar):
    """What lies on the left of closed curves that do not cross.

    Parameters
    ----------
    curves
        Loops of arcs, each with the domain on its left.
    names
        Names of the parts that the arcs point to.
    period
        Of a periodic domain: loops may be closed by way of the seam.

    Examples
    --------
    >>> from dtpinn.geometry.arc import segment
    >>> a, b, c = (0, 0), (1, 0), (1, 1)
    >>> triangle = Loops([(segment(a, b), segment(b, c), segment(c, a))], ("edge",))
    >>> triangle.contains([[0.75, 0.5], [0.5, 0.75]])
    array([ True, False])
    """

    curves: Sequence[Curve]
    names: tuple[str, ...]
    period: Cell = field(default_factory=lambda: Cell.open(2))

    @property
    def cell(self) -> Cell:
        """The period."""
        return self.period

    @property
    def parts(self) -> tuple[str, ...]:
        """The names."""
        return self.names

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the curves."""
        return self.curves
