"""Domains: where a point is, how far the boundary is, and a walk along the boundary.

A domain is anything that implements :class:`Domain`; the rest of the library asks for nothing else.
"""

from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.disk import Disk
from dtpinn.geometry.domain import Domain

__all__ = ["Boundary", "Disk", "Domain"]
