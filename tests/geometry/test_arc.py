import numpy as np

from dtpinn.geometry.arc import corner_normal, ellipse, normals_on, points_on, segment

SHARES = np.array([0.0, 0.3, 1.0])


def test_the_ends_of_a_segment_are_exact():
    start, stop = (0.1, 0.7), (1 / 3, -2.2)
    np.testing.assert_array_equal(segment(start, stop).at(np.array([0.0, 1.0])), [start, stop])


def test_the_domain_is_on_the_left():
    np.testing.assert_array_equal(segment((0, 0), (2, 0)).normal_at(SHARES), [[0.0, -1.0]] * 3)


def test_an_arc_turned_round_runs_backwards_with_the_other_normal():
    arc = ellipse((1.0, 0.0), (2.0, 1.0), 3).between(0.1, 0.4)
    back = arc.turned()
    np.testing.assert_allclose(back.at(SHARES), arc.at(1 - SHARES), atol=1e-15)
    np.testing.assert_allclose(back.normal_at(SHARES), -arc.normal_at(1 - SHARES), atol=1e-15)
    assert back.part == 3


def test_pieces_of_a_piece():
    arc = ellipse((0.0, 0.0), (1.0, 1.0)).turned().between(0.2, 0.6).between(0.5, 1.0)
    whole = ellipse((0.0, 0.0), (1.0, 1.0)).turned()
    np.testing.assert_allclose(arc.at(SHARES), whole.at(0.4 + 0.2 * SHARES), atol=1e-15)


def test_the_normal_of_an_ellipse_is_that_of_its_equation():
    arc = ellipse((0.5, -1.0), (3.0, 2.0))
    points, normals = arc.at(SHARES) - [0.5, -1.0], arc.normal_at(SHARES)
    gradient = points / np.array([9.0, 4.0])
    np.testing.assert_allclose(
        normals, gradient / np.linalg.norm(gradient, axis=1, keepdims=True), atol=1e-15
    )


def test_at_the_tip_of_a_cusp_the_normal_goes_on_with_the_curve():
    # Arriving along (1, 0), leaving along (-1, 0).
    tip = corner_normal(np.array([[0.0, -1.0]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(tip, [[1.0, 0.0]])


def test_arcs_are_evaluated_in_any_order():
    arcs = [segment((0, 0), (1, 0)), segment((1, 0), (1, 1)), segment((1, 1), (0, 0))]
    which, share = np.array([2, 0, 1, 0]), np.array([0.0, 0.5, 0.25, 1.0])
    points = points_on(arcs, which, share)
    np.testing.assert_array_equal(points, [[1, 1], [0.5, 0], [1, 0.25], [1, 0]])
    normals = normals_on(arcs, which, share)[1:]
    np.testing.assert_array_equal(normals, [[0, -1], [1, 0], [0, -1]])
