"""The paper's experiments, one file for each section of it."""

from dtpinn.experiments.settings import Settings

__all__ = ["Settings"]
