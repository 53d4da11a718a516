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


class Ring(Domain):
    """Somebody's own domain with two parts."""

    dimension = 2
    parts = ("inner", "outer")
    bounds = np.array([[-2.0, -2.0], [2.0, 2.0]])

    def signed_distance(self, points):
        return np.abs(np.linalg.norm(points, axis=1) - 1.5) - 0.5

    def walk_boundary(self, spacing):
        raise NotImplementedError


def test_normals_follow_from_the_signed_distance():
    normals = Ring().normal([[2.0, 0.0], [0.0, -1.0]])
    np.testing.assert_allclose(normals, [[1, 0], [0, 1]], atol=1e-9)


def test_a_domain_of_several_parts_has_to_say_which_is_where():
    with pytest.raises(NotImplementedError, match=r"Ring has the parts inner, outer.*nearest_part"):
        Ring().nearest_part([[2.0, 0.0]])
