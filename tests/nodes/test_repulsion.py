import numpy as np
import pytest

from dtpinn.geometry import Disk
from dtpinn.nodes import graded, place_nodes
from tests.marks import mostly_full
from tests.nodes.node_domains import Ball, Interval, Ring, l_shape

DOMAINS = [Disk(), Ring(), l_shape(), Ball()]


@pytest.mark.parametrize(
    "domain",
    mostly_full(DOMAINS, lambda domain: isinstance(domain, (Ring, Ball))),
    ids=lambda domain: type(domain).__name__,
)
def test_sweeps_narrow_the_holes_and_keep_nodes_inside_and_apart(domain):
    before, after = (place_nodes(domain, count=1500, sweeps=sweeps) for sweeps in (0, 10))
    assert after.quality().fill <= before.quality().fill - 0.03
    assert after.quality().separation >= 0.7
    assert domain.signed_distance(after.interior).max() <= -0.5 * after.spacing
    np.testing.assert_array_equal(after.boundary, before.boundary)
    assert after.interior.shape == before.interior.shape


def test_sweeps_go_by_the_local_spacing():
    spacing = graded([0.0, 0.0], 0.01, 0.1)
    after = place_nodes(Disk(), spacing, sweeps=10)
    np.testing.assert_array_equal(after.local_spacing, spacing(after.collocation))
    assert after.quality().fill <= 1.15
    assert after.quality().separation >= 0.7


def test_the_same_seed_gives_the_same_bits():
    first, second = (place_nodes(Disk(), 0.05, sweeps=3) for _ in range(2))
    assert first.interior.tobytes() == second.interior.tobytes()


def test_on_the_line_there_is_nothing_to_improve():
    line = Interval((0.0, 1.0))
    first, second = (place_nodes(line, 0.05, sweeps=sweeps).interior for sweeps in (0, 3))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("sweeps", "error"), [(-1, ValueError), (1.5, TypeError)])
def test_what_is_no_number_of_sweeps_is_refused(sweeps, error):
    with pytest.raises(error, match="sweeps must be an integer"):
        place_nodes(Disk(), 0.1, sweeps=sweeps)
