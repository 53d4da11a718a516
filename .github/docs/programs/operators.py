"""A plate with holes, nodes that are finer towards its boundary, and matrices on them."""

import dtpinn
from dtpinn.geometry import Disk, Rectangle
from dtpinn.rbffd import differential as D

plate = Rectangle((-1.0, -0.6), (1.0, 0.6)) - Disk(0.3, (-0.5, 0.0)) - Disk(0.2, (0.5, 0.2))
plate = plate.with_parts({"holes": lambda x: (abs(x[:, 0]) < 0.99) & (abs(x[:, 1]) < 0.59)})
spacing = dtpinn.nodes.graded(plate, near=0.03, far=0.06)  # finer towards the boundary
nodes = dtpinn.place_nodes(plate, spacing, seed=0)
print(nodes, nodes.quality(), sep="\n")
nodes.plot("nodes.png")
nodes.save("nodes.csv")  # or .npz; or, with the extra `files`, .vtu for ParaView

L = dtpinn.rbffd.laplacian(nodes, order=4)
B = dtpinn.rbffd.boundary_operator(
    nodes, alpha={"left": 0.0, "right": 0.0, "bottom": 1.0, "top": 1.0, "holes": 1.0}, beta=1.0
)
wind = D.laplacian - 5.0 * D.partial(0) + (lambda x: x[:, 1]) * D.partial(1)
A = dtpinn.rbffd.operator(nodes, wind, order=4)  # any sum of derivatives, a CSR like the others
