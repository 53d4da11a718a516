"""Plates that are cooled on their sides, du/dn = -b u: NAFEMS' benchmark, and a heated square.

The Standard NAFEMS Benchmarks, test T4 (1990): steel of 0.6 m by 1 m, 100 degrees below, insulated
on the left, cooled by air of 0 degrees on the right and above; 18.3 degrees at (0.6, 0.2). The
eigenfunctions across are cos(k x) with k tan(k w) = b.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from dtpinn import Dirichlet, Neumann, Poisson, Robin
from dtpinn.geometry import Rectangle
from tests.answers.known.question import Array, Question, constant
from tests.answers.known.series import cosh_ratio

WIDTH, HEIGHT, COOLING = 0.6, 1.0, 750.0 / 52.0  # film coefficient / conductivity, 1 / m
NAFEMS = ((0.6, 0.2), 18.3)


def wavenumbers(width: float, cooling: float, count: int) -> Array:
    """The first roots k of k tan(k width) = cooling."""
    function = lambda a: a * np.sin(a) - cooling * width * np.cos(a)  # noqa: E731
    roots = [brentq(function, n * np.pi, (n + 0.5) * np.pi, xtol=1e-14) for n in range(count)]
    return np.array(roots) / width


def coefficients(k: Array, width: float) -> Array:
    """Of 1 in cos(k x)."""
    a = k * width
    return 2 * np.sin(a) / (a + np.sin(a) * np.cos(a))


def plate(x: Array, terms: int = 1000) -> Array:
    """NAFEMS T4. On the bottom the series has no need to converge."""
    k = wavenumbers(WIDTH, COOLING, terms)
    left = HEIGHT - x[:, 1, None]
    decay = np.exp(-k * x[:, 1, None])
    towards = (1 + COOLING / k) + (1 - COOLING / k) * np.exp(-2 * k * left)
    whole = (1 + COOLING / k) + (1 - COOLING / k) * np.exp(-2 * k * HEIGHT)
    u = (100 * coefficients(k, WIDTH) * np.cos(k * x[:, :1]) * decay * towards / whole).sum(1)
    return np.where(x[:, 1] == 0, 100.0, u)


def heated(x: Array, cooling: float = 2.0, terms: int = 200) -> Array:
    """-Laplacian u = 1 on (-1, 1)**2: what depends on x alone, less a series."""
    k = wavenumbers(1.0, cooling, terms)
    share = cooling / (k * np.tanh(k) + cooling) * cosh_ratio(k * x[:, 1, None], k)
    series = (coefficients(k, 1.0) / k**2 * np.cos(k * x[:, :1]) * share).sum(1)
    return (1 - x[:, 0] ** 2) / 2 + 1 / cooling - series


PLATE = Question(
    domain=Rectangle((0, 0), (WIDTH, HEIGHT)),
    equation=lambda: Poisson(
        None,
        {"bottom": Dirichlet(constant(100.0)), "left": Neumann()}
        | dict.fromkeys(("right", "top"), Robin(1.0, COOLING)),
    ),
    answer=plate,
    spacings=(0.08, 0.055, 0.04),
    within=0.04,
    rate=1.0,  # 100 degrees meet air of 0 in a corner
)

HEATED = Question(
    domain=Rectangle((-1, -1), (1, 1)),
    equation=lambda: Poisson(constant(-1.0), Robin(1.0, 2.0)),
    answer=heated,
    spacings=(0.2, 0.14, 0.1),
    within=0.0001,
    rate=3.0,
)
