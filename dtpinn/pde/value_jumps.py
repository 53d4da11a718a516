"""ValueJump: a corner of the boundary at which the values that are given jump."""

from __future__ import annotations

from dataclasses import dataclass

from dtpinn.arrays import Floats


@dataclass(frozen=True, eq=False)
class ValueJump:
    """A corner in the plane, the first side that meets there, and what is given on both.

    Attributes
    ----------
    place : (2,) array
    start : float
        The direction of the first side, as an angle from the first axis.
    angle : float
        From there to the second side, counterclockwise through the domain; pi where the boundary is
        straight.
    values : (2, fields) array
        The limits of what is given on the first and on the second side; NaN for a field that is
        not.
    reach : float
        How far from it the domain is a sector, about.
    """

    place: Floats
    start: float
    angle: float
    values: Floats
    reach: float
