"""Whether the default balance of the loss is as good as the best that a sweep can find.

    pytest bench/bench_balance.py -q --benchmark-quiet -k "holes"

Eleven problems (`unlike.py`), each trained with the default weights, with multiples of the
PDE's weight, and with equal weights. Everything else is the default: inputs and outputs normalised,
the optimiser's own settings. What is told is the relative l2 distance to `solve()` on the same
nodes, as the loss is of the same discrete system. The budget is in epochs, so that the errors do
not depend on the machine. The lines are printed when the run ends.
"""

from __future__ import annotations

import pytest

from bench.unlike import UNLIKE

MULTIPLES = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)


@pytest.mark.filterwarnings("ignore:fit. training has ended")
@pytest.mark.parametrize("name", UNLIKE)
def test_balance(benchmark, remarks, name):
    problem = UNLIKE[name]

    def sweep():
        errors = {multiple: problem.error({"pde": multiple})[0] for multiple in MULTIPLES}
        return errors, problem.error("equal")[0]

    errors, equal = benchmark.pedantic(sweep, rounds=1)
    best = min(errors, key=errors.get)
    ratio = errors[1.0] / errors[best]
    benchmark.extra_info.update({f"{m:g}": e for m, e in errors.items()}, equal=equal, ratio=ratio)
    swept = ", ".join(f"{multiple:g}: {error:.1e}" for multiple, error in errors.items())
    remarks.append(
        (
            f"{name}, {problem.optimizer}, {problem.epochs} epochs",
            f"default {errors[1.0]:.1e}, best {errors[best]:.1e} (x {best:g}), ratio {ratio:.1f}; "
            f"equal weights {equal:.1e}; all: {swept}",
        )
    )
