"""Domains: where a point is, how far the boundary is, and a walk along the boundary.

A domain is anything that implements :class:`Domain`; the rest of the library asks for nothing else.
"""

from dtpinn.geometry.annulus import Annulus
from dtpinn.geometry.ball import Ball
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.box import Box
from dtpinn.geometry.closed_curve import ClosedCurve
from dtpinn.geometry.disk import Disk
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.ellipse import Ellipse
from dtpinn.geometry.implicit import Implicit
from dtpinn.geometry.interval import Interval
from dtpinn.geometry.mesh import TriangleMesh
from dtpinn.geometry.parts import Parted
from dtpinn.geometry.polygon import Polygon
from dtpinn.geometry.rectangle import Rectangle
from dtpinn.geometry.set_operations import Difference, Intersection, Union
from dtpinn.geometry.sides import Sides
from dtpinn.geometry.torus import Torus
from dtpinn.geometry.transformed import Transformed

__all__ = [
    "Annulus",
    "Ball",
    "Boundary",
    "Box",
    "ClosedCurve",
    "Difference",
    "Disk",
    "Domain",
    "Ellipse",
    "Implicit",
    "Intersection",
    "Interval",
    "Parted",
    "Polygon",
    "Rectangle",
    "Sides",
    "Torus",
    "Transformed",
    "TriangleMesh",
    "Union",
]
