import numpy as np
import pytest

from dtpinn.geometry import Domain


def test_a_domain_must_answer_every_question():
    class Half(Domain):
        dimension = 2
        parts = ("edge",)
        bounds = np.zeros((2, 2))

        def signed_distance(self, points):
            return np.zeros(len(points))

    with pytest.raises(TypeError, match="walk_boundary"):
        Half()


def test_contains_follows_from_the_signed_distance():
    class Half(Domain):
        dimension = 1
        parts = ("edge",)
        bounds = np.zeros((2, 1))

        def signed_distance(self, points):
            return np.asarray(points)[:, 0]

        def walk_boundary(self, spacing):
            raise NotImplementedError

    assert Half().contains([[-1.0], [0.0], [1.0]]).tolist() == [True, False, False]
