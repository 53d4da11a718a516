"""One-dimensional answers in the plane: a duct of sound, a plate that explodes.

Top and bottom are insulated, so that u depends on x alone; four corners see a flux and something
else, or two fluxes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from dtpinn import Dirichlet, Helmholtz, Neumann, Poisson
from dtpinn.geometry import Rectangle
from tests.answers.known.question import Array, Question, constant

WAVENUMBER = 4.0


def sound(x: Array) -> Array:
    """u'' + k**2 u = 0, -u'(0) = 1 (a piston), u'(1) = 0."""
    return np.cos(WAVENUMBER * (1 - x[:, 0])) / (-WAVENUMBER * np.sin(WAVENUMBER))


def explosion(x: Array) -> Array:
    """Bratu: u'' + exp(u) = 0, u(0) = u(1) = 0, the lower branch; its largest u is 0.140539."""
    c = brentq(lambda c: c - np.sqrt(2) * np.cosh(c / 4), 0, 3, xtol=1e-14)
    return 2 * (np.log(np.cosh(c / 4)) - np.log(np.cosh((x[:, 0] - 0.5) * c / 2)))


DUCT = Question(
    domain=Rectangle((0, 0), (1, 0.5)),
    equation=lambda: Helmholtz(
        None,
        {"left": Neumann(constant(1.0))} | dict.fromkeys(("right", "top", "bottom"), Neumann()),
        wavenumber=WAVENUMBER,
    ),
    answer=sound,
    spacings=(0.08, 0.055, 0.04),
    within=2e-05,
)

EXPLOSION = Question(
    domain=Rectangle((0, 0), (1, 0.5)),
    equation=lambda: Poisson(
        None,
        dict.fromkeys(("left", "right"), Dirichlet()) | dict.fromkeys(("top", "bottom"), Neumann()),
        reaction=lambda u: -u.exp(),
    ),
    answer=explosion,
    spacings=(0.08, 0.055, 0.04),
    within=5e-07,
)
