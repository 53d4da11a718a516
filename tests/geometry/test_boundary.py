import numpy as np
import pytest

from dtpinn.geometry import Boundary

POINTS = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]


def test_the_arrays_are_read_only_copies():
    points = np.array(POINTS)
    boundary = Boundary(points, points, [0, 0, 1], ("a", "b"))
    points[0] = 7.0
    np.testing.assert_array_equal(boundary.points, POINTS)
    assert (boundary.points.dtype, boundary.part.dtype) == (np.float64, np.int64)
    for array in (boundary.points, boundary.normals, boundary.part):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_single_name_may_be_given_bare():
    assert Boundary(POINTS, POINTS, [0, 0, 0], "circle").names == ("circle",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": [1.0, 0.0]}, r"points must have shape \(n, d\)"),
        ({"normals": POINTS[:2]}, "one row per boundary point, 3; got 2"),
        ({"normals": [[1.0], [1.0], [1.0]]}, r"normals must have shape \(n, 2\)"),
        ({"points": [[1.0, 0.0], [0.0, np.nan], [0.0, 0.0]]}, "points must be finite; .* row 1"),
        (
            {"normals": [[1.0, 0.0], [0.0, 1.0], [0.0, 0.5]]},
            "normals must have length 1 .* row 2 the length is 0.5",
        ),
        ({"part": [0, 0]}, r"part must be of shape \(3,\); got shape \(2,\)"),
        ({"part": [0, 0, 2]}, r"part\[2\] is 2"),
        ({"part": [0, -1, 0]}, r"part\[1\] is -1"),
        ({"points": [["a", "b"]] * 3}, r"points must be an array of numbers.*got \[\['a', 'b'\]"),
        ({"normals": [[1.0, 0.0], [1.0]]}, r"normals must be an array of numbers"),
        ({"names": ("a", "a")}, "must differ"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    given = {"points": POINTS, "normals": POINTS, "part": [0, 0, 1], "names": ("a", "b")}
    with pytest.raises(ValueError, match=message):
        Boundary(**(given | change))


def test_a_part_that_is_no_integer_is_refused():
    with pytest.raises(TypeError, match="part must hold integers"):
        Boundary(POINTS, POINTS, [0.0, 0.0, 1.0], ("a", "b"))
