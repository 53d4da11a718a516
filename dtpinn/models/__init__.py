"""Networks: functions of points, with parameters."""

from dtpinn.models.mlp import MLP
from dtpinn.models.normalisation import Normalisation, Normalised

__all__ = ["MLP", "Normalisation", "Normalised"]
