"""An equation of one's own on an awkward domain: pictures, a file for ParaView, the error."""

import torch

import dtpinn
from dtpinn.geometry import Disk, Ellipse


class Cooling(dtpinn.PDE):
    """Heat in a plate that loses some to the air: warmed at the rim, cold where a pipe passes."""

    def residual(self, u, D, x):
        return D.laplacian(u) - u + 0.2 * u**2

    def warmed(self, u, D, x, n):
        return D.normal(u) + u - 1

    def cold(self, u, D, x, n):
        return u

    def conditions(self):
        return {"rim": self.warmed, "pipe": self.cold}


plate = Ellipse((1.2, 0.8)) - Disk(0.35, (0.4, 0.1))
plate = plate.with_parts({"rim": "ellipse", "pipe": "circle"})
nodes = dtpinn.place_nodes(plate, spacing=0.08, seed=0)
nodes.plot("nodes.png")

problem = dtpinn.discretize(Cooling(), nodes, order=4)
model = dtpinn.MLP(2, width=50, depth=1, seed=0)
result = dtpinn.fit(model, problem, epochs=80, optimizer="gauss-newton")
print(result)
print(problem.estimate(model))  # how wrong, without knowing the solution

result.save("plate")  # plate/picture.png, result.json, history.csv, checkpoint.pt
with torch.no_grad():
    u = model(problem.points)
nodes.save("plate.vtu", {"u": u, "off by": u - problem.solve()})  # for ParaView
