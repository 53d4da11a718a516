// The Jacobian of every value and tangent in all parameters, row by row: for Gauss-Newton.
//
// Of one point it is a sum of outer products, one for each layer, as long as all parameters: so it
// is written as fast as memory takes it, along the inputs of a weight.
#pragma once

#include "layers.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// (passes, features, Unit) -> (Unit, passes, features).
template <typename Scalar>
static inline void turn_strip(const Scalar* strip, std::int64_t features, std::int64_t passes,
                              Scalar* rows) {
    for (std::int64_t c = 0; c < passes * features; ++c)
        for (std::int64_t i = 0; i < kUnit<Scalar>; ++i)
            rows[i * passes * features + c] = strip[c * kUnit<Scalar> + i];
}

// to = g_j x' for one point: (outputs, inputs), summed over the passes.
template <typename Scalar>
static inline void write_outer(const Scalar* g, std::int64_t outputs, const Scalar* x,
                               std::int64_t inputs, std::int64_t passes, Scalar* to) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    for (std::int64_t j = 0; j < outputs; ++j, to += inputs) {
        std::int64_t k = 0;
        for (; k + lanes <= inputs; k += lanes) {
            auto sum = g[j] * load<bytes>(x + k);
            for (std::int64_t q = 1; q < passes; ++q)
                sum += g[q * outputs + j] * load<bytes>(x + q * inputs + k);
            store(to + k, sum);
        }
        for (; k < inputs; ++k) {
            Scalar sum = g[j] * x[k];
            for (std::int64_t q = 1; q < passes; ++q)
                sum = multiply_add(g[q * outputs + j], x[q * inputs + k], sum);
            to[k] = sum;
        }
    }
}

template <typename Scalar>
static void jacobian(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                     const Scalar* packed, Scalar* workspace, std::int64_t begin,
                     std::int64_t end) {
    constexpr std::int64_t unit = kUnit<Scalar>;
    const std::int64_t m = net.outputs(), size = net.parameters_before(net.maps);
    // The columns of map l, for row `row` of the result at every point of the tile.
    const auto write = [&](const Tile<Scalar>& tile, std::int64_t l, const Scalar* g,
                           std::int64_t row) {
        const std::int64_t in = net.widths[l], out = net.widths[l + 1];
        const std::int64_t terms = row < m ? 1 : net.passes;  // values have no gradient in tangents
        Scalar* left = tile.by_rows();
        Scalar* right = left + unit * net.passes * net.widest();
        for (std::int64_t s = 0; s < tile.strips(); ++s) {
            turn_strip(g + s * net.passes * out * unit, out, net.passes, left);
            turn_strip(tile.layer(l) + s * net.passes * in * unit, in, net.passes, right);
            const std::int64_t points = points_of<Scalar>(tile.begin + s, arrays.rows);
            for (std::int64_t i = 0; i < points; ++i) {
                const std::int64_t point = (tile.begin + s) * unit + i;
                const Scalar* slopes = left + i * net.passes * out;
                Scalar* to = arrays.jacobian + (point * net.passes * m + row) * size +
                             net.parameters_before(l);
                write_outer(slopes, out, right + i * net.passes * in, in, terms, to);
                for (std::int64_t j = 0; j < out; ++j) to[out * in + j] = slopes[j];
            }
        }
    };
    for_tiles(net, arrays, packed, workspace, begin, end, [&](const Tile<Scalar>& tile) {
        evaluate(tile, net.maps - 1);
        for (std::int64_t row = 0; row < net.passes * m; ++row) {
            int now = 0;
            Scalar* seed = tile.spare(now);
            for (std::int64_t i = 0; i < tile.points() * m; ++i) seed[i] = Scalar(0);
            for (std::int64_t s = 0; s < tile.strips(); ++s)
                for (std::int64_t i = 0; i < unit; ++i)
                    seed[(s * net.passes * m + row) * unit + i] =
                        net.unit ? net.unit[row % m] : Scalar(1);
            for (std::int64_t l = net.maps - 1; l >= 0; --l, now = 1 - now) {
                write(tile, l, tile.spare(now), row);
                if (l > 0) differentiate(tile, l, tile.spare(now), tile.spare(1 - now));
            }
        }
    });
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
