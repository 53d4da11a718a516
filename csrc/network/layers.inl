// Values of the layers and their gradients, a tile of strips at a time.
#pragma once

#include "gather.inl"
#include "kernels.h"
#include "multiply.inl"
#include "outer.inl"
#include "tanh.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// Strips that go through a layer together, before the next: their numbers stay in the second cache.
constexpr std::int64_t kTile = 16;
// Of these, so many go through one matrix together: theirs stay in the first.
constexpr std::int64_t kGroup = 4;

// Z -> tanh Z, and of every tangent Z' -> (1 - tanh^2 Z) Z'; (passes, features, Unit).
template <typename Scalar>
static void activate(Scalar* strip, std::int64_t features, std::int64_t passes) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    const std::int64_t size = features * kUnit<Scalar>;
    for (std::int64_t i = 0; i < size; i += lanes) {
        const auto value = tanh_lanes<Scalar, bytes>(load<bytes>(strip + i));
        store(strip + i, value);
        if (passes == 1) continue;
        const auto slope = static_cast<Scalar>(1) - value * value;
        for (std::int64_t q = 1; q < passes; ++q)
            store(strip + q * size + i, slope * load<bytes>(strip + q * size + i));
    }
}

// The reverse: `gradient` is that in the values h and tangents h' after `activate`, and becomes
// that before. With s = 1 - h^2 and h' = s z', of which the slope in z is -2 h h':
//
//     dz' = s dh',    dz = s dh - 2 h sum(dh' h').
template <typename Scalar>
static void activate_backward(const Scalar* after, Scalar* gradient, std::int64_t features,
                              std::int64_t passes) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    const std::int64_t size = features * kUnit<Scalar>;
    for (std::int64_t i = 0; i < size; i += lanes) {
        const auto value = load<bytes>(after + i);
        const auto slope = static_cast<Scalar>(1) - value * value;
        auto dz = slope * load<bytes>(gradient + i);
        for (std::int64_t q = 1; q < passes; ++q) {
            const auto d = load<bytes>(gradient + q * size + i);
            dz -= (value + value) * (d * load<bytes>(after + q * size + i));
            store(gradient + q * size + i, slope * d);
        }
        store(gradient + i, dz);
    }
}

// Calls body(first, count) for groups of the strips of a tile.
template <typename Body>
static inline void for_groups(std::int64_t strips, const Body& body) {
    for (std::int64_t s = 0; s < strips; s += kGroup) body(s, at_most(strips - s, kGroup));
}

// A tile within one call: where its arrays are.
template <typename Scalar>
struct Tile {
    const Network<Scalar>& net;
    const NetworkArrays<Scalar>& arrays;
    const Scalar* packed;
    Scalar* workspace;
    std::int64_t begin, end;

    std::int64_t strips() const { return end - begin; }
    // Numbers for one feature.
    std::int64_t points() const { return strips() * net.passes * kUnit<Scalar>; }
    std::int64_t capacity() const { return kTile * net.passes * kUnit<Scalar>; }
    Scalar* inputs() const { return workspace; }
    Scalar* spare(int which) const {
        return workspace + capacity() * (net.inputs() + net.hidden() + which * net.widest());
    }
    Scalar* by_rows() const { return spare(2); }
    // The values of a layer: 0 the inputs, maps the outputs, between them the hidden layers, which
    // are in the arrays where these are kept.
    Scalar* layer(std::int64_t l) const {
        if (l == 0) return inputs();
        if (l == net.maps) return spare(0);
        const std::int64_t before = net.sum(1, l);
        if (arrays.kept == nullptr) return workspace + capacity() * (net.inputs() + before);
        const std::int64_t all = (arrays.rows + kUnit<Scalar> - 1) / kUnit<Scalar>;
        return arrays.kept + net.passes * kUnit<Scalar> * (all * before + begin * net.widths[l]);
    }
    // (in, out) blocks of weights to multiply with, and of their transposes, behind all of these.
    const Scalar* weights(std::int64_t map) const { return packed + net.parameters_before(map); }
    const Scalar* transposed(std::int64_t map) const {
        return packed + net.parameters_before(net.maps) + net.parameters_before(map);
    }
};

template <typename Scalar>
static void pack(const Network<Scalar>& net, Scalar* packed) {
    for (std::int64_t l = 0; l < net.maps; ++l) {
        const std::int64_t in = net.widths[l], out = net.widths[l + 1];
        Scalar* there = packed + net.parameters_before(l);
        pack_weight(net.parameters[2 * l], out, in, in, 1, there);
        pack_weight(net.parameters[2 * l], in, out, 1, in, there + net.parameters_before(net.maps));
    }
}

// Gathers the inputs and evaluates the layers up to `last`.
template <typename Scalar>
static void evaluate(const Tile<Scalar>& tile, std::int64_t last) {
    const auto& net = tile.net;
    gather_inputs(net, tile.arrays, tile.begin, tile.end, tile.inputs());
    for (std::int64_t l = 0; l < last; ++l) {
        const std::int64_t in = net.widths[l], out = net.widths[l + 1];
        const Scalar* from = tile.layer(l);
        Scalar* to = tile.layer(l + 1);
        for_groups(tile.strips(), [&](std::int64_t first, std::int64_t count) {
            const std::int64_t before = first * net.passes * kUnit<Scalar>;
            multiply(tile.weights(l), net.parameters[2 * l + 1], from + before * in, in,
                     to + before * out, out, count, net.passes);
            if (l + 1 == net.maps) return;
            for (std::int64_t s = 0; s < count; ++s)
                activate(to + (before + s * net.passes * kUnit<Scalar>)*out, out, net.passes);
        });
    }
}

// The gradient before map l, from that after it; `activated` where tanh made the values before it.
template <typename Scalar>
static void differentiate(const Tile<Scalar>& tile, std::int64_t l, const Scalar* after,
                          Scalar* before) {
    const auto& net = tile.net;
    const std::int64_t in = net.widths[l], out = net.widths[l + 1];
    const Scalar* values = tile.layer(l);
    for_groups(tile.strips(), [&](std::int64_t first, std::int64_t count) {
        const std::int64_t skipped = first * net.passes * kUnit<Scalar>;
        multiply<Scalar>(tile.transposed(l), nullptr, after + skipped * out, out,
                         before + skipped * in, in, count, net.passes);
        if (l == 0) return;
        for (std::int64_t s = 0; s < count; ++s) {
            const std::int64_t strip = (skipped + s * net.passes * kUnit<Scalar>)*in;
            activate_backward(values + strip, before + strip, in, net.passes);
        }
    });
}

// Calls body(tile) for tiles of the strips [begin, end).
template <typename Scalar, typename Body>
static inline void for_tiles(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                             const Scalar* packed, Scalar* workspace, std::int64_t begin,
                             std::int64_t end, const Body& body) {
    for (std::int64_t s = begin; s < end; s += kTile)
        body(Tile<Scalar>{net, arrays, packed, workspace, s, at_most(s + kTile, end)});
}

template <typename Scalar>
static void values(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                   const Scalar* packed, Scalar* workspace, std::int64_t begin, std::int64_t end) {
    for_tiles(net, arrays, packed, workspace, begin, end, [&](const Tile<Scalar>& tile) {
        evaluate(tile, net.maps);
        const std::int64_t m = net.outputs();
        Scalar* outputs = tile.layer(net.maps);
        for_strips<Scalar>(arrays.rows, m, net.passes, tile.begin, tile.end,
                           [&](std::int64_t to, std::int64_t q, std::int64_t s, std::int64_t from) {
                               Scalar* strip = outputs + from;
                               for (std::int64_t c = 0; c < m; ++c)
                                   for (std::int64_t i = 0; i < kUnit<Scalar>; ++i) {
                                       Scalar& v = strip[c * kUnit<Scalar> + i];
                                       if (net.unit) v *= net.unit[c];
                                       if (net.centre && q == 0) v += net.centre[c];
                                   }
                               scatter_strip(strip, m, points_of<Scalar>(s, arrays.rows),
                                             arrays.y + to);
                           });
    });
}

template <typename Scalar>
static void gradients(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                      const Scalar* packed, Scalar* workspace, std::int64_t begin,
                      std::int64_t end) {
    const auto gather = [&](const Tile<Scalar>& tile, Scalar* g) {
        const std::int64_t m = net.outputs();
        for_strips<Scalar>(arrays.rows, m, net.passes, tile.begin, tile.end,
                           [&](std::int64_t from, std::int64_t, std::int64_t s, std::int64_t to) {
                               gather_strip(arrays.dy + from, m, points_of<Scalar>(s, arrays.rows),
                                            g + to);
                               normalise_strip<Scalar>(g + to, m, nullptr, net.unit);
                           });
    };
    const auto scatter = [&](const Tile<Scalar>& tile, Scalar* g) {
        const std::int64_t d = net.inputs();
        for_strips<Scalar>(arrays.rows, d, net.passes, tile.begin, tile.end,
                           [&](std::int64_t to, std::int64_t q, std::int64_t s, std::int64_t from) {
                               Scalar* rows = q == 0 ? arrays.dx : arrays.ddirections;
                               if (rows == nullptr) return;
                               normalise_strip<Scalar>(g + from, d, nullptr, net.factor);
                               scatter_strip(g + from, d, points_of<Scalar>(s, arrays.rows),
                                             rows + to - (q == 0 ? 0 : arrays.rows * d));
                           });
    };
    for_tiles(net, arrays, packed, workspace, begin, end, [&](const Tile<Scalar>& tile) {
        gather_inputs(net, arrays, tile.begin, tile.end, tile.inputs());
        int now = 0;
        gather(tile, tile.spare(now));
        for (std::int64_t l = net.maps - 1; l >= 0; --l, now = 1 - now) {
            const Scalar* g = tile.spare(now);
            const std::int64_t in = net.widths[l], out = net.widths[l + 1];
            const std::int64_t strips = tile.strips() * net.passes;
            if (arrays.dparameters) {
                Scalar* dw = arrays.dparameters + net.parameters_before(l);
                outer_products<Scalar>(g, out, tile.layer(l), in, strips, dw);
                sum_points<Scalar>(g, out, strips, net.passes, dw + out * in);
            }
            if (l > 0 || arrays.dx || arrays.ddirections)
                differentiate(tile, l, g, tile.spare(1 - now));
        }
        if (arrays.dx || arrays.ddirections) scatter(tile, tile.spare(now));
    });
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
