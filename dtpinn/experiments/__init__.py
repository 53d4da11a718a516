"""The paper's experiments, one file for each section of it, and the gallery of domains."""

from dtpinn.experiments import heat, linear_poisson, nonlinear_poisson
from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.experiment_run import run
from dtpinn.experiments.settings import Settings

# By name, in the order of the paper: what ``dtpinn train`` knows.
PROBLEMS = {
    problem.name: problem
    for problem in (linear_poisson.EXPERIMENT, nonlinear_poisson.EXPERIMENT, heat.EXPERIMENT)
}

__all__ = ["PROBLEMS", "Experiment", "Settings", "run"]
