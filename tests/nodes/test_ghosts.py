import numpy as np

from dtpinn.geometry import Disk
from dtpinn.nodes import place_ghosts

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
