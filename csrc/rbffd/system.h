// What the linear systems (9) of all stencils of one assembly have in common; no torch, no Python.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../cpu/kernels.h"

namespace dtpinn {

// A stencil has n nodes in d dimensions, shifted and scaled. Its system is symmetric,
//
//     [A  P ] [c     ]   [D a]      A_ij = |x_i - x_j|^m,  P_ij = q_j(x_i)
//     [P' 0 ] [lambda] = [D q],
//
// with one right-hand side for each evaluation point and each derivative D = D^alpha.
struct StencilSystem {
    std::int64_t dimension;    // d
    std::int64_t nodes;        // n
    std::int64_t exponent;     // m, odd
    std::int64_t degree;       // of the polynomials: the highest of `degrees` along any axis
    std::int64_t polynomials;  // q
    // (polynomials, dimension): q_j is the product of the Legendre polynomials of these degrees.
    const std::int64_t* degrees;

    std::int64_t points;        // evaluation points of each stencil
    std::int64_t derivatives;   // at each of them
    const std::int64_t* alpha;  // (derivatives, dimension), |alpha| < m
    // D^alpha r^m = r^(m - |alpha|) sum_t factors[t] s^powers[t], where s = xi / r and t runs from
    // first_term[k] to first_term[k + 1].
    const std::int64_t* first_term;  // (derivatives + 1)
    const std::int64_t* powers;      // (terms, dimension)
    const double* factors;           // (terms)

    std::int64_t probes;  // right-hand sides that the condition estimate adds
    const double* probe;  // (probes, unknowns)

    DTPINN_INLINE std::int64_t unknowns() const { return nodes + polynomials; }
    DTPINN_INLINE std::int64_t right_hand_sides() const { return points * derivatives + probes; }
};

// Arrays along the nodes or the unknowns fill whole registers, of 8 lanes at most.
DTPINN_INLINE std::int64_t padded(std::int64_t length, std::int64_t lanes = 8) {
    return (length + lanes - 1) / lanes * lanes;
}

// The highest derivative along any axis.
DTPINN_INLINE std::int64_t highest_derivative(const StencilSystem& s) {
    std::int64_t highest = 0;
    for (std::int64_t k = 0; k < s.derivatives * s.dimension; ++k)
        if (s.alpha[k] > highest) highest = s.alpha[k];
    return highest;
}

// Numbers of the memory that `StencilSolver` works in, aligned to 64 bytes: the augmented matrix,
// and whichever is larger of the Legendre polynomials at the nodes and what a point needs.
DTPINN_INLINE std::int64_t workspace_size(const StencilSystem& s) {
    const std::int64_t matrix = padded(s.unknowns()) * (s.unknowns() + s.right_hand_sides());
    const std::int64_t along_axes = s.dimension * (s.degree + 1);
    const std::int64_t basis = along_axes * padded(s.nodes);
    const std::int64_t point =
        (s.dimension + 3) * padded(s.nodes) + along_axes * (highest_derivative(s) + 1);
    return matrix + s.dimension * padded(s.nodes) + (basis > point ? basis : point);
}

// For each of `count` stencils: offsets (n, d) of its nodes, points (points, d) to evaluate at ->
// weights (points, derivatives, n) and the condition estimate. A stencil is solved by itself, so
// how many are solved by one call, or by which thread, never changes a bit. One that is singular to
// the last bit has weights NaN and the condition infinity.
using StencilSolver = void (*)(const StencilSystem& system, const double* offsets,
                               const double* points, double* weights, double* condition,
                               std::int64_t count, double* workspace);

// The solver of one instruction set. Only sets that this processor has may be run.
StencilSolver stencil_solver(InstructionSet set);

}  // namespace dtpinn
