"""A loaded disk, held on the lower half of its boundary and insulated on the upper one.

-Laplacian u = 1, u = 0 where y < 0 and du/dn = 0 where y > 0 on the unit circle. With
s**2 = (1 + z) / (1 - z), which maps the disk to a half-plane and its mixed conditions to a quarter,

    u = (1 - |z|**2) / 4 + log |s + 1| - log |s - i|.

Both are found from z f'(z), whose real part is 1/2 above and whose imaginary part is 0 below.
u is r**(1/2) at the two ends.
"""

from __future__ import annotations

import numpy as np

from dtpinn import Dirichlet, Neumann, Poisson
from dtpinn.geometry import Disk
from tests.answers.known.question import Array, Question, constant


def answer(x: Array) -> Array:
    """u at points (n, 2) of the closed disk."""
    z = x @ np.array([1, 1j])
    end = np.abs(1 - z) < 1e-14
    s = np.sqrt((1 + z) / np.where(end, 1.0, 1 - z))
    harmonic = np.where(end, 0.0, np.log(np.abs((s + 1) / (s - 1j))))
    return (1 - np.abs(z) ** 2) / 4 + harmonic


DISK = Question(
    domain=Disk().with_parts(
        {"insulated": lambda x: x[:, 1] > 1e-12, "held": lambda x: x[:, 1] <= 1e-12}
    ),
    equation=lambda: Poisson(constant(-1.0), {"insulated": Neumann(), "held": Dirichlet()}),
    answer=answer,
    spacings=(0.2, 0.14, 0.1),
    within=0.2,
    rate=0.5,
)
