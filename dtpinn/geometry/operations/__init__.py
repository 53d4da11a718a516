"""New domains from others: set operations, motions and scalings, and parts named anew.

Here :class:`~dtpinn.geometry.domain.Domain` is handed what its operators and methods make.
"""

from dtpinn.geometry.curves.tracing import trace
from dtpinn.geometry.domain import Domain, Operations
from dtpinn.geometry.operations.parts import Parted
from dtpinn.geometry.operations.set_operations import Difference, Intersection, Union
from dtpinn.geometry.operations.transformed import rotated, scaled, translated

Domain._make = Operations(
    union=Union,
    intersection=Intersection,
    difference=Difference,
    translated=translated,
    rotated=rotated,
    scaled=scaled,
    parted=Parted,
    curves=trace,
)
