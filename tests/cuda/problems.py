"""Problems whose steps a CUDA graph is to hold: between them, every kind that the library has."""

from __future__ import annotations

import numpy as np
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from tests.problem.equations import Elasticity, ReactionInTime, TwoParts

TIMES = torch.linspace(0.0, 0.6, 3)
PROBLEMS = {
    "linear, Robin": (lambda: dtpinn.Poisson.from_solution(sine_cosine, 2.0, 3.0), None),
    "nonlinear": (lambda: dtpinn.Poisson.from_solution(sine_cosine, reaction=torch.exp), None),
    "space-time": (ReactionInTime, TIMES),
    "two fields, learnt coefficient": (Elasticity, None),
    "two parts": (TwoParts, None),
}


def disk_in_two_parts():
    """Nodes whose boundary's two named parts take turns, so that their rows are gathered."""
    disk = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    names = np.where(np.arange(disk.boundary_count) % 2, "left", "right")
    return dtpinn.Nodes.from_points(disk.interior, disk.boundary, disk.normals, parts=names)


def small_network(problem, **options):
    inputs = problem.nodes.dimension + (problem.times is not None)
    sizes = {"width": 5, "depth": 1, "fields": problem.pde.fields}
    return dtpinn.MLP(inputs, dtype=problem.dtype, **sizes, **options)
