"""The eigenvalues of the Laplacian on the disk, with a Robin condition, are those of Bessel."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import jv, jvp

from dtpinn.rbffd import boundary_operator, laplacian
from tests.rbffd.clouds import disk

MODES = 12


def exact(beta):
    """The largest eigenvalues -k^2, where u = J_n(k r) cos(n phi) has u_r + beta u = 0 at r = 1."""
    k = np.linspace(1e-6, 12, 1200)
    found = [] if beta else [0.0]
    for n in range(12):

        def condition(k, n=n):
            return k * jvp(n, k) + beta * jv(n, k)

        value = condition(k)
        for i in np.flatnonzero(value[:-1] * value[1:] < 0):
            found += [brentq(condition, k[i], k[i + 1])] * (2 if n else 1)
    return -(np.sort(found)[:MODES] ** 2)


def computed(nodes, order, beta):
    """All eigenvalues of L on the nodes of X, the ghosts eliminated by B u = 0."""
    count = len(nodes.collocation)
    L = laplacian(nodes, order).to_scipy().toarray()
    B = boundary_operator(nodes, 1.0, beta, order).to_scipy().toarray()
    ghosts = np.linalg.solve(B[:, count:], B[:, :count])
    eigenvalues = np.linalg.eigvals(L[:, :count] - L[:, count:] @ ghosts)
    return eigenvalues[np.argsort(-eigenvalues.real)]


# Relative error of the first 12 at h = 0.11; observed: up to 0.11, 0.025, 2e-3, 1e-3.
BOUND = {2: 2e-1, 3: 5e-2, 4: 6e-3, 5: 2e-3}


@pytest.mark.parametrize("order", BOUND)
@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_eigenvalues_are_bessels_and_lie_in_the_left_half_plane(beta, order):
    found = computed(disk(250), order, beta)
    wanted = exact(beta)
    # Without a reaction (beta = 0) constants are in the null space: 0 up to round-off.
    assert found.real.max() <= (1e-9 if beta == 0.0 else 0.9 * wanted[0])
    assert (abs(found[:MODES] - wanted) <= BOUND[order] * np.maximum(1.0, -wanted)).all()


@pytest.mark.parametrize(("order", "rate"), [(2, 1.7), (4, 3.5)])
def test_eigenvalues_converge_with_the_order(order, rate):
    coarse, fine = disk(120), disk(400)
    errors = [
        np.linalg.norm((computed(nodes, order, 1.0)[:MODES] - exact(1.0)) / exact(1.0))
        for nodes in (coarse, fine)
    ]
    assert np.log(errors[0] / errors[1]) / np.log(coarse.spacing / fine.spacing) > rate
