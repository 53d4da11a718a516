import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Ball, Box
from dtpinn.geometry.surfaces.sampling import sample_surface
from tests.geometry.solids import SOLIDS, Solid, constant, ellipsoid


@pytest.mark.parametrize("name", SOLIDS)
def test_no_point_of_the_surface_is_far_from_the_sample(name):
    domain, rng = SOLIDS[name], np.random.default_rng(0)
    sample = sample_surface(domain, constant(0.1), rng)
    denser = sample_surface(domain, constant(0.05), rng)
    assert np.abs(domain.signed_distance(denser)).max() <= 1e-11
    # Cells of half a spacing: no place is farther from a sample than across two of them.
    assert cKDTree(sample).query(denser)[0].max() <= 2 * np.sqrt(3) * 0.05


def test_the_work_grows_with_the_surface():
    asked = []

    class Counting(Ball):
        def signed_distance(self, points):
            asked.append(len(points))
            return super().signed_distance(points)

    counts = []
    for h in (0.1, 0.025):
        asked.clear()
        sample_surface(Counting(), constant(h), np.random.default_rng(0))
        counts.append(sum(asked))
    # 16 times the surface in spacings, 64 times the volume.
    assert counts[1] <= 20 * counts[0]


def test_a_distance_that_underestimates_is_as_good():
    # The implicit function keeps up to 2.5 times the cells; there are as many samples, or more.
    body = ellipsoid()
    sample = sample_surface(body, constant(0.1), np.random.default_rng(0))
    assert np.abs(body.signed_distance(sample)).max() <= 1e-11


def test_a_face_of_the_bounding_box_is_sampled():
    # The bounds are tight, so the faces lie where the outermost cells end.
    sample = sample_surface(Box(), constant(0.125), np.random.default_rng(0))
    for axis in range(3):
        for value in (0.0, 1.0):
            face = np.abs(sample[:, axis] - value) < 1e-9
            assert face.sum() > 3 / 0.125**2


def test_a_variable_spacing_refines_where_it_is_small():
    def spacing(x):
        return np.where(x[:, 0] > 0.5, 0.05, 0.2)

    sample = sample_surface(Ball(), spacing, np.random.default_rng(0))
    cap = sample[:, 0] > 0.5
    # A quarter of the sphere is in the cap, which has 16 times the density.
    assert cap.sum() / (~cap).sum() == pytest.approx(16 / 3, rel=0.3)


def test_no_surface_gives_no_sample():
    nothing = Solid(lambda x: np.full(len(x), 5.0), [-1, -1, -1], [1, 1, 1])
    assert sample_surface(nothing, constant(0.1), np.random.default_rng(0)).shape == (0, 3)
