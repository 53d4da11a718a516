import numpy as np
import pytest

from dtpinn.geometry.spacing import as_spacing

UNIT = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])


def test_a_number_is_the_same_everywhere():
    np.testing.assert_array_equal(as_spacing(0.25, UNIT)(np.zeros((3, 3))), [0.25] * 3)


def test_a_function_is_asked_for_each_point():
    spacing = as_spacing(lambda x: 0.1 + x[:, 0], UNIT)
    np.testing.assert_allclose(spacing(np.array([[0.0, 0, 0], [0.5, 0, 0]])), [0.1, 0.6])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([0.1, np.nan]), r"at \(1, 1, 1\) it is nan"),
        (np.array([0.1, -1.0]), r"at \(1, 1, 1\) it is -1"),
        (np.array([[0.1], [0.1]]), r"for points of shape \(2, 3\) it gave shape \(2, 1\)"),
        ("much", "the values of spacing must be an array of real numbers"),
    ],
)
def test_what_a_function_gives_is_checked(value, message):
    with pytest.raises(ValueError, match=message):
        as_spacing(lambda x: value, UNIT)(UNIT)


def test_what_is_neither_is_refused():
    with pytest.raises(TypeError, match="spacing must be a number"):
        as_spacing("fine", UNIT)
    with pytest.raises(ValueError, match="spacing=2 is larger than the domain"):
        as_spacing(2.0, UNIT)
