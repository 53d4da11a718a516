"""A training run of an experiment: nodes, matrices, floor, training, figures, files."""

from __future__ import annotations

from pathlib import Path

from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.measuring import error_at, fine_points, model_points
from dtpinn.experiments.preparation import Report, prepare
from dtpinn.experiments.same_run import check_same_run, identity
from dtpinn.experiments.settings import Settings, SettingsError
from dtpinn.experiments.summary import closing_lines, details
from dtpinn.models import NETWORKS, Network
from dtpinn.training import Result, fit


def run(
    experiment: Experiment,
    settings: Settings,
    out: Path | None = None,
    *,
    resume: bool = False,
    progress: bool | None = None,
    report: Report = print,
) -> Result:
    """Place nodes, assemble, solve directly, train, measure; leave everything in `out`.

    Parameters
    ----------
    experiment : Experiment
    settings : Settings
        From ``experiment.settings(...)``.
    out : Path, optional
        An existing directory, for ``result.json``, ``history.csv``, ``picture.png`` and
        ``checkpoint.pt``, the last of which is also written while training goes on.
    resume : bool
        Go on from the checkpoint in `out`.
    progress : bool, optional
        As for :func:`dtpinn.fit`.
    report : callable
        Receives a line of text for each part of the run.

    Raises
    ------
    SettingsError
        If the settings ask for nodes or matrices that cannot be.
    CheckpointError
        On `resume`, if the checkpoint is of another experiment or other settings.

    Examples
    --------
    >>> from dtpinn.experiments import PROBLEMS
    >>> poisson = PROBLEMS["poisson"]
    >>> result = run(poisson, poisson.settings(nodes=200, epochs=2), report=lambda line: None)
    >>> result.summary()["nodes"]["boundary"] > 30
    True
    """
    checkpoint = None if out is None else out / "checkpoint.pt"
    if resume and checkpoint is not None:
        check_same_run(checkpoint, experiment, settings)
    prepared = prepare(experiment, settings, report)
    x = fine_points(experiment)
    at_test_points = experiment.measured_at == "test points"
    result = fit(
        _network(settings, prepared.inputs),
        prepared.problem,
        settings.planned_epochs,
        optimizer=settings.stages,
        tolerance=settings.tolerance,
        max_seconds=settings.seconds,
        exact=experiment.exact,
        points=model_points(x, settings).to(settings.torch_dtype) if at_test_points else None,
        progress=progress,
        checkpoint=checkpoint,
        resume=checkpoint if resume else None,
        details=identity(experiment, settings),
    )  # fmt: skip
    result.floor = prepared.floor
    result.details.update(details(experiment, settings, prepared.nodes, prepared.seconds))
    result.details["test_points"] = len(x)
    if not at_test_points:
        error = error_at(x, experiment, settings, result.model)
        result.details["relative_l2_error_at_test_points"] = error
    report(closing_lines(result))
    if out is not None:
        result.save(out)
        report(f"files       {out}/: result.json, history.csv, picture.png, checkpoint.pt")
    return result


def _network(settings: Settings, inputs: int) -> Network:
    try:
        return NETWORKS[settings.network](
            inputs, width=settings.width, depth=settings.depth, seed=settings.seed,
            dtype=settings.torch_dtype, device=settings.device,
            normalise=False,  # raw coordinates, as in the paper
            **(settings.network_options or {}),
        )  # fmt: skip
    except ValueError as error:  # periods of other coordinates than these
        raise SettingsError(str(error)) from None
