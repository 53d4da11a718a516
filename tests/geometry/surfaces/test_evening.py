import numpy as np

from dtpinn.geometry import Ball, Box
from dtpinn.geometry.clearance import keep_apart
from dtpinn.geometry.surfaces.evening import even_out
from dtpinn.geometry.surfaces.sampling import sample_surface
from tests.geometry.solids import constant, fill, separation

H = constant(0.1)


def thinned(domain):
    rng = np.random.default_rng(0)
    sample = rng.permutation(sample_surface(domain, H, rng))
    return sample[keep_apart(sample, 0.83 * H(sample))]


def test_repulsion_evens_out_and_stays_on_the_surface():
    ball, points = Ball(), thinned(Ball())
    moved = even_out(ball, points[:0], points, H, 20)
    assert moved.shape == points.shape
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1.0, atol=1e-12)
    assert separation(points, H) < 0.85
    assert fill(ball, moved, H) < fill(ball, points, H)
    assert separation(moved, H) > separation(points, H) + 0.03


def test_fixed_points_push_and_stay():
    box = Box()
    rim = np.array([[x, 0.0, 0.5] for x in np.arange(0.0, 1.01, 0.1)])
    near = np.array([[0.5, 0.0, 0.53]])
    moved = even_out(box, rim, near, H, 10)
    # Pushed straight away from the row, on the face.
    np.testing.assert_allclose(moved[:, :2], near[:, :2], atol=1e-12)
    assert 0.58 < moved[0, 2] < 0.65


def test_points_beyond_reach_do_not_move():
    far = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(even_out(Ball(), far[:0], far, H, 5), far)
