// The kernels of the fused network: one table of function pointers per instruction set, no torch.
#pragma once

#include <utility>

#include "../cpu/kernels.h"

namespace dtpinn {

// A multilayer perceptron with tanh between its affine maps, evaluated together with derivatives
// along some directions ("tangents"). A *pass* is the values or one tangent: all go through the
// same matrices, so they lie beside each other as more rows would.
template <typename Scalar>
struct Network {
    std::int64_t maps;                // affine maps: hidden layers + 1
    const std::int64_t* widths;       // (maps + 1): inputs, hidden layers, outputs
    const Scalar* const* parameters;  // (2 maps): weight (out, in) and bias (out) of each map
    std::int64_t passes;              // 1 + tangents
    // Affine maps around it, each of them nullptr for none: the layers see (x - middle) * factor
    // and make v for the result v * unit + centre.
    const Scalar *middle, *factor;  // (inputs)
    const Scalar *centre, *unit;    // (outputs)

    DTPINN_INLINE std::int64_t inputs() const { return widths[0]; }
    DTPINN_INLINE std::int64_t outputs() const { return widths[maps]; }
    DTPINN_INLINE std::int64_t hidden() const { return sum(1, maps); }
    DTPINN_INLINE std::int64_t widest() const {
        std::int64_t found = 0;
        for (std::int64_t l = 0; l <= maps; ++l)
            if (widths[l] > found) found = widths[l];
        return found;
    }
    // Numbers in parameters[0], ..., parameters[2 map - 1].
    DTPINN_INLINE std::int64_t parameters_before(std::int64_t map) const {
        std::int64_t count = 0;
        for (std::int64_t l = 0; l < map; ++l) count += widths[l + 1] * (widths[l] + 1);
        return count;
    }
    DTPINN_INLINE std::int64_t sum(std::int64_t first, std::int64_t end) const {
        std::int64_t total = 0;
        for (std::int64_t l = first; l < end; ++l) total += widths[l];
        return total;
    }
};

// What a call reads and writes; row-major, row i of everything belongs to point i.
template <typename Scalar>
struct NetworkArrays {
    std::int64_t rows;         // n, the points
    const Scalar* x;           // (n, inputs)
    const Scalar* directions;  // (tangents, n, inputs)
    Scalar* y;                 // (passes, n, outputs)
    // Hidden layers after tanh, in the order of the kernels: `kept_size` numbers, which `gradients`
    // reads. nullptr: `values` forgets them.
    Scalar* kept;
    // Of `gradients`: in y, then those in all parameters one after another (added to), and those in
    // x and the directions; nullptr where nobody asks.
    const Scalar* dy;
    Scalar *dparameters, *dx, *ddirections;
    Scalar* jacobian;  // of `jacobian`: (n, passes * outputs, parameters)
};

// Each kernel works through strips [begin, end) of `strip` points, the last of which may be filled
// up. A point is evaluated in an order that depends on the network and the instruction set alone;
// gradients in the parameters are summed strip after strip.
template <typename Scalar>
struct NetworkKernels {
    std::int64_t strip;
    std::int64_t tile;  // strips that are worked through layer by layer
    // The weights in the order in which the kernels read them, `packed_size` numbers.
    void (*pack)(const Network<Scalar>& net, Scalar* packed);
    void (*values)(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                   const Scalar* packed, Scalar* workspace, std::int64_t begin, std::int64_t end);
    void (*gradients)(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                      const Scalar* packed, Scalar* workspace, std::int64_t begin,
                      std::int64_t end);
    void (*jacobian)(const Network<Scalar>& net, const NetworkArrays<Scalar>& arrays,
                     const Scalar* packed, Scalar* workspace, std::int64_t begin, std::int64_t end);

    std::int64_t strips(std::int64_t rows) const { return (rows + strip - 1) / strip; }
    std::int64_t kept_size(const Network<Scalar>& net, std::int64_t rows) const {
        return strips(rows) * strip * net.passes * net.hidden();
    }
    std::int64_t packed_size(const Network<Scalar>& net) const {
        return 2 * net.parameters_before(net.maps);
    }
    // Of one thread: the inputs, the hidden layers, two arrays of a layer, and a strip by rows.
    std::int64_t workspace_size(const Network<Scalar>& net) const {
        const std::int64_t rows = tile * strip * net.passes;
        return rows * (net.inputs() + net.hidden() + 2 * net.widest()) +
               2 * strip * net.passes * net.widest();
    }
};

// The table of one instruction set. Only sets that this processor has may be run.
template <typename Scalar>
const NetworkKernels<Scalar>& network_kernels(InstructionSet set);

}  // namespace dtpinn
