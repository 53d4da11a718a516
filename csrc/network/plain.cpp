// The network and its first derivatives as torch operations: what the kernels are compared with,
// and what is computed wherever they do not apply.
#include <ATen/ATen.h>

#include "network.h"

namespace dtpinn {
namespace {

// The values before each affine map, (n, in), and the tangents there, (tangents, n, in).
struct Layers {
    std::vector<at::Tensor> values, tangents;
};

at::Tensor normalised(const NetworkCall& call, const at::Tensor& t, std::size_t factor) {
    return call.normalisation.empty() ? t : t * call.normalisation[factor];
}

const at::Tensor& weight(const NetworkCall& call, std::int64_t map) {
    return call.parameters[2 * map];
}

at::Tensor slope(const at::Tensor& after_tanh) { return 1 - after_tanh * after_tanh; }

Layers evaluate(const NetworkCall& call) {
    const auto& around = call.normalisation;
    Layers layers;
    layers.values.push_back(normalised(call, around.empty() ? call.x : call.x - around[0], 1));
    if (call.has_tangents()) layers.tangents.push_back(normalised(call, call.directions, 1));
    for (std::int64_t l = 0; l + 1 < call.maps(); ++l) {
        const auto& bias = call.parameters[2 * l + 1];
        const auto h = at::linear(layers.values.back(), weight(call, l), bias).tanh();
        if (call.has_tangents())
            layers.tangents.push_back(slope(h) *
                                      at::matmul(layers.tangents.back(), weight(call, l).t()));
        layers.values.push_back(h);
    }
    return layers;
}

// One sweep from the outputs back: G (n, out) and T (tangents, n, out), the gradients after a map.
struct Sweep {
    const NetworkCall& call;
    const Layers& layers;
    at::Tensor G, T;

    // From after map l to before it.
    void step(std::int64_t l) {
        G = at::matmul(G, weight(call, l));
        if (T.defined()) T = at::matmul(T, weight(call, l));
        if (l == 0) return;
        const auto& h = layers.values[l];
        const auto s = slope(h);
        if (T.defined()) {
            G = s * G - 2 * h * (T * layers.tangents[l]).sum(0);
            T = s * T;
        } else {
            G = s * G;
        }
    }
};

}  // namespace

at::Tensor plain_network(const NetworkCall& call) {
    const auto layers = evaluate(call);
    const auto last = call.maps() - 1;
    auto y = normalised(
        call, at::linear(layers.values[last], weight(call, last), call.parameters.back()), 3);
    if (!call.normalisation.empty()) y = y + call.normalisation[2];
    if (!call.has_tangents()) return y;
    const auto tangents =
        normalised(call, at::matmul(layers.tangents[last], weight(call, last).t()), 3);
    return at::cat({y.unsqueeze(0), tangents});
}

std::vector<at::Tensor> plain_gradients(const NetworkCall& call, const at::Tensor& g,
                                        const std::vector<bool>& wanted) {
    const auto layers = evaluate(call);
    std::vector<at::Tensor> result(2 + call.parameters.size());
    const auto seed = normalised(call, g, 3);
    Sweep sweep{call, layers, seed, {}};
    if (call.has_tangents()) {
        sweep.G = seed.select(0, 0);
        sweep.T = seed.slice(0, 1);
    }
    for (std::int64_t l = call.maps() - 1; l >= 0; --l) {
        if (wanted[2 + 2 * l]) {
            auto dw = at::matmul(sweep.G.t(), layers.values[l]);
            if (call.has_tangents())
                dw = dw + at::matmul(sweep.T.transpose(1, 2), layers.tangents[l]).sum(0);
            result[2 + 2 * l] = dw;
        }
        if (wanted[3 + 2 * l]) result[3 + 2 * l] = sweep.G.sum(0);
        if (l > 0 || wanted[0] || wanted[1]) sweep.step(l);
    }
    if (wanted[0]) result[0] = normalised(call, sweep.G, 1);
    if (wanted[1]) result[1] = normalised(call, sweep.T, 1);
    return result;
}

at::Tensor plain_jacobian(const NetworkCall& call) {
    const auto layers = evaluate(call);
    const auto n = call.x.size(0), m = call.parameters.back().size(0);
    const auto tangents = call.has_tangents() ? call.directions.size(0) : 0;
    std::vector<at::Tensor> rows;
    for (std::int64_t row = 0; row < (1 + tangents) * m; ++row) {
        const auto of_value = row < m;
        auto unit = at::zeros({m}, call.x.options());
        unit.select(0, row % m).fill_(1);
        const auto seed = normalised(call, unit, 3).expand({n, m});
        Sweep sweep{call, layers, of_value ? seed : at::zeros_like(seed), {}};
        if (!of_value) {
            auto which = at::zeros({tangents, 1, 1}, call.x.options());
            which.select(0, row / m - 1).fill_(1);
            sweep.T = which * seed;  // a new tensor: vmap may have its own dimension in the seed
        }
        std::vector<at::Tensor> columns(call.parameters.size());
        for (std::int64_t l = call.maps() - 1; l >= 0; --l) {
            auto dw = sweep.G.unsqueeze(2) * layers.values[l].unsqueeze(1);
            if (sweep.T.defined())
                dw = dw + (sweep.T.unsqueeze(3) * layers.tangents[l].unsqueeze(2)).sum(0);
            columns[2 * l] = dw.flatten(1);
            columns[2 * l + 1] = sweep.G;
            if (l > 0) sweep.step(l);
        }
        rows.push_back(at::cat(columns, 1));
    }
    return at::stack(rows, 1);
}

}  // namespace dtpinn
