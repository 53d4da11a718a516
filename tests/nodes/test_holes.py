import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Disk
from dtpinn.nodes.holes import fill_holes
from tests.nodes.node_domains import Ball


def constant(h):
    return lambda points: np.full(len(points), h)


@pytest.mark.parametrize("domain", [Disk(), Ball()], ids=["disk", "ball"])
@pytest.mark.parametrize("h", [0.3, 0.11])
def test_an_empty_domain_is_filled_so_far_as_there_are_circles(domain, h):
    edge = domain.walk_boundary(h).points
    nodes = fill_holes(domain, edge, constant(h))
    assert len(nodes) >= 1
    assert domain.signed_distance(nodes).max() <= -0.5 * h
    everything = np.concatenate([edge, nodes])
    assert cKDTree(everything).query(nodes, k=2)[0][:, 1].min() >= (1 - 1e-8) * h


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_missing_node_of_a_grid_comes_back(dimension):
    domain = Disk() if dimension == 2 else Ball()
    axis = np.linspace(-1.2, 1.2, 25 if dimension == 2 else 13)
    h = axis[1] - axis[0]
    grid = np.stack(np.meshgrid(*[axis] * dimension), axis=-1).reshape(-1, dimension)
    middle = np.abs(grid).max(axis=1) < 1e-9
    found = fill_holes(domain, grid[~middle], constant(h))
    # Round-off moves the centre of a sphere through eight and more nodes.
    np.testing.assert_allclose(found, np.zeros((1, dimension)), atol=1e-6)
    assert not len(fill_holes(domain, grid, constant(h)))


def test_the_spacing_at_the_hole_decides():
    edge = Disk().walk_boundary(0.5).points
    points = np.concatenate([edge, [[0.0, 0.5]]])
    fine = fill_holes(Disk(), points, lambda x: np.where(x[:, 1] > 0.0, 5.0, 0.3))
    assert len(fine)
    assert (fine[:, 1] <= 0.0).all()
