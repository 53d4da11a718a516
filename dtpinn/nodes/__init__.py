"""Nodes: interior, boundary and ghost points, placed in a domain or taken from a point cloud."""

from dtpinn.nodes.ghosts import place_ghosts
from dtpinn.nodes.grading import graded
from dtpinn.nodes.nodes import Nodes
from dtpinn.nodes.ordering import hilbert_order, scattered
from dtpinn.nodes.placing import place_nodes
from dtpinn.nodes.quality import Quality, measure

__all__ = [
    "Nodes",
    "Quality",
    "graded",
    "hilbert_order",
    "measure",
    "place_ghosts",
    "place_nodes",
    "scattered",
]
