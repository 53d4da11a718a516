from __future__ import annotations

import numpy as np
import pytest

import dtpinn


@pytest.fixture(scope="session")
def disk():
    """Nodes on the unit disk by spacing, made once."""
    made = {}

    def nodes(spacing):
        if spacing not in made:
            made[spacing] = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=spacing)
        return made[spacing]

    return nodes


@pytest.fixture(scope="session")
def two_parts(disk):
    """The same disk with its boundary in two named parts, their nodes interleaved by the order."""
    nodes = disk(0.08)
    names = np.where(nodes.boundary[:, 0] < 0.1, "left", "right")
    return dtpinn.Nodes.from_points(nodes.interior, nodes.boundary, nodes.normals, parts=names)
