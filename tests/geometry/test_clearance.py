import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from dtpinn.geometry import Cell
from dtpinn.geometry.clearance import GrowingCloud, independent_set, keep_apart


def first_come_first_served(points, radius):
    taken = []
    for i, point in enumerate(points):
        if all(np.linalg.norm(point - points[j]) >= radius[i] for j in taken):
            taken.append(i)
    return taken


@given(seed=st.integers(0, 1000), count=st.integers(0, 60), dimension=st.integers(1, 3))
def test_keeping_apart_is_the_plain_loop(seed, count, dimension):
    rng = np.random.default_rng(seed)
    points, radius = rng.random((count, dimension)), rng.uniform(0.05, 0.4, count)
    taken = np.flatnonzero(keep_apart(points, radius))
    assert taken.tolist() == first_come_first_served(points, radius)


def test_items_without_pairs_are_all_taken():
    assert independent_set(3, np.empty((0, 2), dtype=int)).all()


def test_a_growing_cloud_answers_as_one_set():
    rng = np.random.default_rng(0)
    cloud, points = GrowingCloud(Cell.open(2)), np.empty((0, 2))
    for size in (5, 1, 1, 7, 30, 2):
        new = rng.random((size, 2))
        cloud.add(new)
        points = np.concatenate([points, new])
        asked, radius = rng.random((50, 2)), rng.uniform(0.05, 0.3, 50)
        expected = np.flatnonzero(cdist(asked, points).min(axis=1) >= radius)
        np.testing.assert_array_equal(cloud.clear(asked, radius), expected)
