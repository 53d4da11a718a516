"""What a run tells of itself: the details of result.json, and the closing lines."""

from __future__ import annotations

from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.settings import Settings
from dtpinn.experiments.versions import versions
from dtpinn.nodes import Nodes
from dtpinn.training import Result


def details(
    experiment: Experiment, settings: Settings, nodes: Nodes, seconds: dict[str, float]
) -> dict[str, object]:
    """Return what else ``result.json`` holds beside the figures of the training."""
    counts = {
        "interior": nodes.interior_count,
        "boundary": nodes.boundary_count,
        "ghost": nodes.ghost_count,
    }
    return {
        "device": settings.device,
        "optimizer": settings.stages,
        "tolerance": settings.tolerance,
        "nodes": counts,
        "error_measured_at": experiment.measured_at,
        "seconds": seconds,
        "versions": versions(),
    }


def closing_lines(result: Result) -> str:
    """Return the outcome: the error with its floor, the time, why it ended, and every stage."""
    last, best = result.history[-1], result.history.best
    at, test_points = result.details["error_measured_at"], result.details["test_points"]
    where = f"{test_points} test points" if at == "test points" else f"the {at}"
    lines = [
        f"error       {last.error:.2e} relative l2 at {where}"
        + ("" if best is None else f" (lowest {best.error:.2e} at epoch {best.epoch})")
        + ("" if result.floor is None else f"; the floor is {result.floor:.1e}")
    ]
    if (estimated := result.estimated_error) is not None:
        lines.append(f"estimate    {estimated:.2e}, without knowing the solution")
    if (other := result.details.get("relative_l2_error_at_test_points")) is not None:
        lines.append(f"            {other:.2e} at {test_points} test points")
    lines += [
        f"training    {last.seconds:.1f} s, {last.epoch} epochs, {last.evaluations} evaluations, "
        f"{1e3 * last.seconds / max(last.evaluations, 1):.2f} ms each",
        f"stopped     {result.stop_reason}; loss {last.loss:.2e}",
    ]
    if len(result.stages) > 1:
        lines += [
            f"stage {number}     {stage.optimizer}, {stage.epochs} epochs, {stage.seconds:.1f} s: "
            f"{stage.stop_reason}"
            for number, stage in enumerate(result.stages, start=1)
        ]
    return "\n".join(lines)
