"""Training: fit a model to a problem, in stages, with a history, checkpoints and a stop reason."""

from dtpinn.training.fitting import fit
from dtpinn.training.goal import NotReached
from dtpinn.training.history import History, Record
from dtpinn.training.normalising import normalise
from dtpinn.training.result import Result
from dtpinn.training.stage_figures import Stage

__all__ = ["History", "NotReached", "Record", "Result", "Stage", "fit", "normalise"]
