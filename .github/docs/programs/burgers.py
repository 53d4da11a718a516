"""A space-time equation of one's own: Burgers' equation, in which a wave steepens and decays."""

import torch

import dtpinn

VISCOSITY = 0.1


class Burgers(dtpinn.PDE):
    """u_t + u u_x = nu u_xx in a tube closed at both ends, from a sine at time 0."""

    def residual(self, u, D, x, t):
        return D.time(u) + u * D.partial(u, 0) - VISCOSITY * D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return u - torch.sin(torch.pi * x[:, 0])


nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.04)
times = torch.linspace(0.0, 0.5, 11)
problem = dtpinn.discretize(Burgers(), nodes, order=4, times=times)
model = dtpinn.MLP(2, width=30, depth=1, seed=0)  # of (x, t)
dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton")
u = model(torch.tensor([[0.75, 0.5]], dtype=torch.float64)).item()
print(f"u = {u:.4f} at x = 3/4, t = 1/2; by the series of Cole and Hopf it is 0.5541")
