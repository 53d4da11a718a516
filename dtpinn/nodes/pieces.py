"""Pieces: the boundary between its nodes, as small flat things that nothing is seen through."""

from __future__ import annotations

from dataclasses import dataclass

from dtpinn.arrays import Floats, Integers


@dataclass(frozen=True)
class Pieces:
    """Flat pieces of the boundary, and what its nodes tell about the room around them.

    A piece is what lies in a plane, within a radius of a centre, and within a cone.

    Attributes
    ----------
    centre, normal
        (p, d), the normal of unit length and outward.
    radius
        (p,)
    axis
        (p, d), unit vectors in the plane, or 0 where there is no cone.
    cosine
        (p,), of half the angle of the cone.
    around
        (nb, k), the pieces around each boundary node; -1 for none.
    step
        (nb,), the distance between neighbours on the boundary.
    way
        (nb, d), the mean of the unit vectors to the neighbours on the boundary.
    room
        (nb,), how far it is along the inward normal to a node across a corridor; inf if there is
        none.
    """

    centre: Floats
    normal: Floats
    radius: Floats
    axis: Floats
    cosine: Floats
    around: Integers
    step: Floats
    way: Floats
    room: Floats
