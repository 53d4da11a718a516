"""The paper's experiments, one file for each section of it, and the gallery of domains."""

from dtpinn.experiments.settings import Settings

__all__ = ["Settings"]
