"""The loop of a training: epoch after epoch, with records, callbacks and checkpoints between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from tqdm import tqdm

from dtpinn.output.files import StrPath
from dtpinn.training.history import Record
from dtpinn.training.interrupt import Interrupt
from dtpinn.training.result import Result
from dtpinn.training.stage_figures import INTERRUPTED
from dtpinn.training.staged_run import Ending, StagedRun
from dtpinn.training.stalled import distance_to_solution, warn_if_far
from dtpinn.training.undetermined import warn_if_undetermined

Callback = Callable[[Result], Any]

# Seconds between checkpoints while a run goes on.
CHECKPOINT_EVERY = 30.0


class Loop:
    """Trains a run to its end, and does everything that is not training at the right moments.

    Parameters
    ----------
    run : StagedRun
        With its first stage begun.
    callbacks : sequence of callable
    every : int or None
        Epochs between records, or each stage's own choice.
    checkpoint : path or None
    progress : bool or None
        None: where stderr is a terminal.
    """

    def __init__(
        self,
        run: StagedRun,
        callbacks: Sequence[Callback],
        every: int | None,
        checkpoint: StrPath | None,
        progress: bool | None,
    ) -> None:
        self._run, self._callbacks, self._every = run, callbacks, every
        self._checkpoint, self._interrupt = checkpoint, Interrupt()
        done = sum(stage.epochs for stage in run.finished)
        planned = sum(plan.epochs for plan in run.plans[len(run.finished) :])
        hide = None if progress is None else not progress  # None: hidden where there is no terminal
        self._bar = tqdm(total=done + planned, initial=run.epoch, unit="epoch", disable=hide)

    def train(self) -> None:
        """Run all stages, or until something ends the run."""
        run = self._run
        with self._bar, self._interrupt:
            run.record()
            self._save()  # what cannot be written is told before training
            ending = run.at_goal() or self._train_stage()
            while run.has_more_stages and not ending.of_run:
                run.finish_stage(ending.reason)
                self._save()  # the next optimiser may not come into being
                run.begin_stage()
                ending = self._train_stage()
        run.finish_stage(ending.reason)
        if ending.of_itself:
            run.result.distance = distance_to_solution(run.model, run.problem)
        self._save()
        if run.goal is not None and run.result.estimated_error is None:
            run.goal.warn_unless_reached(run.result)
            self._save()
        warn_if_far(run.result)  # an error, where users want it so
        if ending.of_itself:
            warn_if_undetermined(run.result)

    def _train_stage(self) -> Ending:
        """Train until the stage is over."""
        run = self._run
        if len(run.plans) > 1:
            self._bar.set_description(f"stage {len(run.finished) + 1}, {run.stage.name}")
        every = run.stage.every if self._every is None else self._every
        while (ending := self._next_ending()) is None:
            run.stage.advance()
            self._bar.update()
            ended = self._interrupt.requested or run.ending() is not None
            if ended or run.epoch % every == 0:
                run.record()
                self._bar.set_postfix_str(_postfix(run.history[-1]))
                if (at_goal := run.at_goal()) is not None:
                    return at_goal
                if self._call():
                    return Ending("stopped by a callback", of_run=True, of_itself=False)
            if self._interrupt.requested:
                run.record()  # it may have come after the lines above
                return Ending(INTERRUPTED, of_run=True, of_itself=False)
            self._save_now_and_then()
        # What a stage leaves undone is no longer to come.
        self._bar.total -= max(run.stage.plan.epochs - run.stage.epochs, 0)
        return ending

    def _next_ending(self) -> Ending | None:
        """Return why no step follows, once the loss is what the next one lowers."""
        self._run.heed_noise()
        return self._run.ending()

    def _call(self) -> bool:
        """Call every callback; whether one of them wants to stop. A failing one loses nothing."""
        try:
            answers = [callback(self._run.result) for callback in self._callbacks]
        except BaseException:
            self._save()
            raise
        if self._callbacks:
            self._run.confirm_loss()
        return any(answers)

    def _save_now_and_then(self) -> None:
        if self._checkpoint is not None and time.monotonic() - self._saved > CHECKPOINT_EVERY:
            self._run.record()
            self._save()

    def _save(self) -> None:
        if self._checkpoint is not None:
            self._run.result.checkpoint(self._checkpoint)
            self._saved = time.monotonic()


def _postfix(record: Record) -> str:
    error = "" if record.error is None else f", error {record.error:.2e}"
    return f"loss {record.loss:.2e}{error}"
