"""What a run of an experiment shares with the checkpoint that it goes on from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.settings import Settings
from dtpinn.output.files import to_json
from dtpinn.training.checkpoint import load_checkpoint
from dtpinn.training.resuming import check_same


def identity(experiment: Experiment, settings: Settings) -> dict[str, object]:
    """Return the problem's name and the fixed settings, as a checkpoint tells them.

    Examples
    --------
    >>> from dtpinn.experiments import PROBLEMS
    >>> heat = PROBLEMS["heat"]
    >>> told = identity(heat, heat.settings(seed=7, epochs=10))
    >>> told["problem"], told["nodes_asked"], told["seed"], "epochs" in told
    ('heat', 828, 7, False)
    """
    told = {name: getattr(settings, field) for field, name in _names()}
    plain: dict[str, object] = json.loads(to_json({"problem": experiment.name, **told}))
    return plain


def check_same_run(path: Path, experiment: Experiment, settings: Settings) -> None:
    """Raise for the checkpoint of another experiment, or of other fixed settings.

    A setting that the checkpoint does not have was made a setting later: it stands for the
    experiment's default.

    Raises
    ------
    CheckpointError
        Naming what differs.
    """
    saved, present = load_checkpoint(path)["details"], identity(experiment, settings)
    absent = {**identity(experiment, experiment.settings()), "problem": None}
    asked = {name: field for field, name in _names()}  # as whoever asked for it called it
    check_same(
        path,
        (
            (asked.get(name, name), saved.get(name, absent[name]), now)
            for name, now in present.items()
        ),
    )


def _names() -> Iterator[tuple[str, str]]:
    """Of every fixed setting: here, and in a checkpoint."""
    for field in fields(Settings):
        if field.metadata["fixed"]:
            yield field.name, field.metadata["told"] or field.name
