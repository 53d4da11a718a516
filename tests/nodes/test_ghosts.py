import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Disk, Rectangle
from dtpinn.nodes import place_ghosts, place_nodes
from tests.nodes.node_domains import Polygon, Ring, l_shape

RIGHT, LEFT = [1.0, 0.0], [-1.0, 0.0]


def test_a_ghost_on_another_node_is_dropped():
    boundary = np.array([[0.0, 0.0], [0.5, 0.0]])
    ghost, ghost_of = place_ghosts(
        np.array([[-1.0, 0.0]]), boundary, np.array([RIGHT, RIGHT]), distance=0.5
    )
    np.testing.assert_array_equal(ghost, [[1.0, 0.0]])
    assert ghost_of.tolist() == [1]


def test_of_two_ghosts_in_one_place_the_earlier_stays():
    boundary = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    interior = np.array([[0.0, -1.0]])
    normals = np.array([RIGHT, LEFT, RIGHT])
    ghost, ghost_of = place_ghosts(interior, boundary, normals, distance=1.0)
    np.testing.assert_array_equal(ghost, [[1.0, 0.0], [5.0, 0.0]])
    assert ghost_of.tolist() == [0, 2]


def test_half_the_distance_is_room_enough():
    boundary = np.array([[0.0, 0.0], [1.5, 0.0]])
    normals = np.array([RIGHT, RIGHT])
    _, ghost_of = place_ghosts(np.array([[0.0, -1.0]]), boundary, normals, distance=1.0)
    assert ghost_of.tolist() == [0, 1]


def test_a_ghost_inside_the_domain_is_dropped():
    boundary = np.array([[1.0, 0.0], [0.0, 0.0]])
    normals = np.array([RIGHT, RIGHT])
    _, ghost_of = place_ghosts(np.array([[0.0, 0.9]]), boundary, normals, 0.2, domain=Disk())
    assert ghost_of.tolist() == [0]


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_across_a_wall_nothing_takes_a_ghosts_room(share):
    rooms = Rectangle((0, 0), (1, 1)) | Rectangle((1.02, 0), (2.02, 1))
    nodes = place_nodes(rooms, spacing=0.1, ghost_distance=share)
    np.testing.assert_array_equal(nodes.ghost_of, np.arange(nodes.boundary_count))


SLIT = Polygon((-1, -1), (1, -1), (1, -0.02), (0, 0), (1, 0.02), (1, 1), (-1, 1))
# A wall 0.03 thin between two rooms that are joined at the left.
WALL = Polygon((-1, -1), (1, -1), (1, -0.015), (0, -0.015), (0, 0.015), (1, 0.015), (1, 1), (-1, 1))


@pytest.mark.parametrize("domain", [l_shape(), Ring(0.05)], ids=["L", "pinhole"])
@pytest.mark.parametrize("share", [0.1, 0.25, 1.0, 2.0])
def test_no_ghost_comes_near_another_node_or_falls_back_into_the_domain(domain, share):
    nodes = place_nodes(domain, spacing=0.06, ghost_distance=share)
    assert 0.5 * nodes.boundary_count <= nodes.ghost_count <= nodes.boundary_count
    assert domain.signed_distance(nodes.ghost).min() > 0.0
    nearest = cKDTree(nodes.extended).query(nodes.ghost, k=2)[0][:, 1]
    assert nearest.min() >= 0.5 * share * nodes.spacing * (1 - 1e-8)


@pytest.mark.parametrize("domain", [SLIT, WALL], ids=["slit", "wall"])
def test_at_the_end_of_a_slit_no_ghost_comes_near_a_node_or_falls_back_into_the_domain(
    domain,
):
    nodes = place_nodes(domain, spacing=0.06, ghost_distance=0.25)
    assert nodes.ghost_count >= 0.9 * nodes.boundary_count
    own = nodes.boundary[nodes.ghost_of]
    end = nodes.ghost[np.linalg.norm(own, axis=1) < 1.6 * nodes.spacing]
    assert domain.signed_distance(end).min() > 0.0
    assert cKDTree(nodes.collocation).query(end)[0].min() >= 0.124 * nodes.spacing


def test_each_ghost_may_have_a_distance_of_its_own():
    boundary = np.array([[0.0, 0.0], [0.0, 2.0]])
    ghost, _ = place_ghosts(
        np.array([[-1.0, 0.0]]), boundary, np.array([RIGHT, RIGHT]), np.array([0.5, 0.1])
    )
    np.testing.assert_array_equal(ghost, [[0.5, 0.0], [0.1, 2.0]])
