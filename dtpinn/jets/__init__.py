"""Values and their derivatives carried through torch functions together: Taylor mode."""

from dtpinn.jets import rules  # what torch's functions do to jets: registered on import
from dtpinn.jets.jet import Jet
from dtpinn.jets.taylor import Layout

__all__ = ["Jet", "Layout", "rules"]
