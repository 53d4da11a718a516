import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Ball, Disk, Implicit, Polygon, Rectangle

BOX = [[-2, -2], [2, 2]]


def test_a_traced_circle_is_the_circle():
    traced = Implicit(Disk(1.3).signed_distance, BOX)
    walk = traced.walk_boundary(0.1)
    np.testing.assert_allclose(np.linalg.norm(walk.points, axis=1), 1.3, atol=1e-14)
    np.testing.assert_allclose(walk.normals, walk.points / 1.3, atol=1e-9)
    assert len(walk) == len(Disk(1.3).walk_boundary(0.1))


def corners_of(domain):
    """Points where two arcs meet at an angle."""
    zero, one = np.zeros(1), np.ones(1)
    joints = [
        (arc.at(zero), arc.normal_at(zero) - before.normal_at(one))
        for curve in domain.boundary_curves()
        for before, arc in zip((curve[-1], *curve[:-1]), curve, strict=True)
    ]
    return np.concatenate([point for point, turn in joints if np.abs(turn).max() > 1e-3])


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(Rectangle((-1, -0.5), (1, 0.5)), marks=pytest.mark.full),
        Polygon([(0, 0), (1, 0.1), (1.1, 1), (0.5, 0.3), (-0.3, 1)]),
        pytest.param(Rectangle((-1, -1), (1, 1)) - Disk(0.5, (1.0, 0.0)), marks=pytest.mark.full),
        Disk() & Disk(1.0, (1.0, 0.0)),
    ],
)
def test_corners_are_found_to_round_off(known):
    traced = Implicit(known.signed_distance, BOX)
    corners = corners_of(known)
    walk = traced.walk_boundary(0.1)
    distance, row = cKDTree(walk.points).query(corners)
    assert distance.max() < 1e-10
    np.testing.assert_allclose(walk.normals[row], known.normal(corners), atol=1e-5)
    assert sum(map(len, traced.boundary_curves())) == len(corners)
    np.testing.assert_allclose(traced.normal(corners), known.normal(corners), atol=1e-5)


@pytest.mark.parametrize("radius", [0.1, 0.02, 0.008])  # the last is the width of a cell
def test_islands_and_holes_are_loops_of_their_own(radius):
    def islands(x):
        with_hole = np.maximum(
            Disk(0.8, (0.9, 0)).signed_distance(x), 0.02 - np.hypot(*(x - [1, 0.1]).T)
        )
        return np.minimum(with_hole, Disk(0.3, (-1, 0)).signed_distance(x))

    traced = Implicit(islands, [[-2, -2], [2, 2]])
    assert [len(curve) for curve in traced.boundary_curves()] == [1, 1, 1]
    assert np.abs(islands(traced.walk_boundary(0.1).points)).max() < 1e-12


def test_an_underestimate_of_the_distance_will_do():
    half = Implicit(lambda x: 0.5 * Disk().signed_distance(x), BOX)
    np.testing.assert_allclose(
        np.linalg.norm(half.walk_boundary(0.1).points, axis=1), 1.0, atol=1e-13
    )


def test_in_space_it_has_a_surface():
    ball = Implicit(Ball(0.8).signed_distance, [[-1] * 3, [1] * 3])
    walk = ball.walk_boundary(0.2)
    np.testing.assert_allclose(np.linalg.norm(walk.points, axis=1), 0.8, atol=1e-8)
    assert walk.names == ("boundary",)
    with pytest.raises(TypeError, match="boundary curves are for domains in the plane"):
        ball.boundary_curves()


@pytest.mark.parametrize(
    ("function", "box", "message"),
    [
        (lambda x: 3 * Disk().signed_distance(x), BOX, "it changes 3 times as much. Divide it by"),
        (lambda x: np.sign(x[:, 0]), BOX, "by no more than the distance walked"),
        (lambda x: x[:, :1], BOX, r"one number per point, shape \(4000,\); got shape \(4000, 1\)"),
        (lambda x: ["a"] * len(x), BOX, "what function returns must be one number per point"),
        (Disk().signed_distance, [[1, 1], [0, 0]], "box must be a lower and an upper corner"),
        (Disk().signed_distance, [[-2, -2], [2, np.inf]], "box must be finite"),
        (Disk().signed_distance, [[-2], [2]], r"points must have shape \(n, 2\)"),
    ],
)
def test_what_is_no_signed_distance_is_refused(function, box, message):
    with pytest.raises(ValueError, match=message):
        Implicit(function, box)


def test_a_function_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="function must be a signed distance"):
        Implicit(Disk(), BOX)


def test_a_box_without_a_boundary_is_refused():
    with pytest.raises(ValueError, match="has no zero level within the bounds"):
        Implicit(Disk().signed_distance, [[2, 2], [3, 3]]).walk_boundary(0.1)


def test_a_box_that_cuts_the_boundary_is_refused():
    with pytest.raises(ValueError, match=r"zero level leaves the bounds .* use larger ones"):
        Implicit(Disk().signed_distance, [[-2, -2], [0, 2]]).walk_boundary(0.1)
