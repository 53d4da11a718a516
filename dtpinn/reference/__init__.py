"""Reference backends of the sparse product: oracles for the tests, rivals in the benchmarks.

Each is built from a ``dtpinn.CSR`` and multiplies as it does, with a library in place of our
kernels. They are kept for good, and kept plain; SciPy is imported when an operator is built.
"""

from dtpinn.reference.product import Product
from dtpinn.reference.sampled import sampled
from dtpinn.reference.scipy_backend import SciPyProduct

__all__ = ["Product", "SciPyProduct", "sampled"]
