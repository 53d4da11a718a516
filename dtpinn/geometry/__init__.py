"""Domains: where a point is, how far the boundary is, and a walk along the boundary.

A domain is anything that implements :class:`Domain`; the rest of the library asks for nothing else.
"""

from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.meshes.triangle_mesh import TriangleMesh
from dtpinn.geometry.operations.parts import Parted
from dtpinn.geometry.operations.set_operations import Difference, Intersection, Union
from dtpinn.geometry.operations.transformed import Transformed
from dtpinn.geometry.shapes.annulus import Annulus
from dtpinn.geometry.shapes.ball import Ball
from dtpinn.geometry.shapes.box import Box
from dtpinn.geometry.shapes.closed_curve import ClosedCurve
from dtpinn.geometry.shapes.disk import Disk
from dtpinn.geometry.shapes.ellipse import Ellipse
from dtpinn.geometry.shapes.implicit import Implicit
from dtpinn.geometry.shapes.interval import Interval
from dtpinn.geometry.shapes.polygon import Polygon
from dtpinn.geometry.shapes.rectangle import Rectangle
from dtpinn.geometry.shapes.torus import Torus
from dtpinn.geometry.sides import Sides
from dtpinn.geometry.subdomains import Subdomains
from dtpinn.geometry.vanishing import Vanishing

__all__ = [
    "Annulus",
    "Ball",
    "Boundary",
    "Box",
    "Cell",
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
    "Subdomains",
    "Torus",
    "Transformed",
    "TriangleMesh",
    "Union",
    "Vanishing",
]
