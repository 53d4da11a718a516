// The solver of the stencils' systems, compiled once per instruction set (csrc/cpu/target.h).
#pragma once

#include "basis.inl"
#include "elimination.inl"
#include "row.inl"
#include "system.h"

namespace dtpinn {
namespace DTPINN_TARGET {

static Row sum_of_squares(const double* column, std::int64_t stride) {
    Row sum{};
    for (std::int64_t i = 0; i < stride; i += kLanes) sum += row(column + i) * row(column + i);
    return sum;
}

// Of columns [first, end).
static double frobenius_norm(const Augmented& a, std::int64_t first, std::int64_t end) {
    Row sum{};
    for (std::int64_t j = first; j < end; ++j) sum += sum_of_squares(a.column(j), a.stride);
    return __builtin_sqrt(sum_lanes<double, DTPINN_LANE_BYTES>(sum));
}

// Writes [[A, P], [P', 0]] into the first columns; returns its Frobenius norm.
static double fill_matrix(const StencilSystem& s, const Cloud& x, const Augmented& a,
                          double* polynomials) {
    for (std::int64_t axis = 0; axis < s.dimension; ++axis)
        legendre_along_axis(x.axis(axis), x.stride, s.degree,
                            polynomials + axis * (s.degree + 1) * x.stride);
    for (std::int64_t j = 0; j < s.nodes; ++j) spline_column(x, j, s.exponent, a.column(j));
    for (std::int64_t j = 0; j < s.polynomials; ++j) {
        double* column = a.column(s.nodes + j);
        for (std::int64_t i = 0; i < x.stride; i += kLanes) {
            Row product = Row{} + 1.0;
            for (std::int64_t axis = 0; axis < s.dimension; ++axis) {
                const std::int64_t degree = s.degrees[j * s.dimension + axis];
                product *= row(polynomials + (axis * (s.degree + 1) + degree) * x.stride + i);
            }
            store(column + i, product);
        }
        for (std::int64_t i = s.nodes; i < a.stride; ++i) column[i] = 0.0;
        for (std::int64_t i = 0; i < s.nodes; ++i) a.column(i)[s.nodes + j] = column[i];
    }
    for (std::int64_t j = 0; j < s.unknowns(); ++j)
        for (std::int64_t i = s.unknowns(); i < a.stride; ++i) a.column(j)[i] = 0.0;
    return frobenius_norm(a, 0, s.unknowns());
}

// Writes [D^alpha a; D^alpha q] at one point, a column for each derivative.
static void fill_right_hand_sides(const StencilSystem& s, const Cloud& x, const double* point,
                                  const Augmented& a, std::int64_t first, double* memory) {
    double* direction = memory;
    double* legendre = direction + (s.dimension + 1) * x.stride;
    const std::int64_t highest = highest_derivative(s);
    const std::int64_t along_axis = (highest + 1) * (s.degree + 1);
    directions(x, point, direction);
    for (std::int64_t axis = 0; axis < s.dimension; ++axis)
        legendre_derivatives(point[axis], s.degree, highest, legendre + axis * along_axis);
    for (std::int64_t k = 0; k < s.derivatives; ++k) {
        double* column = a.column(first + k);
        spline_derivative(s, k, direction, x.stride, column);
        for (std::int64_t j = 0; j < s.polynomials; ++j) {
            double product = 1.0;
            for (std::int64_t axis = 0; axis < s.dimension; ++axis)
                product *=
                    legendre[axis * along_axis + s.alpha[k * s.dimension + axis] * (s.degree + 1) +
                             s.degrees[j * s.dimension + axis]];
            column[s.nodes + j] = product;
        }
        for (std::int64_t i = s.unknowns(); i < a.stride; ++i) column[i] = 0.0;
    }
}

static void solve_stencils(const StencilSystem& s, const double* offsets, const double* points,
                           double* weights, double* condition, std::int64_t count,
                           double* workspace) {
    const std::int64_t unknowns = s.unknowns(), wanted = s.points * s.derivatives;
    const std::int64_t columns = unknowns + s.right_hand_sides();
    const Augmented a{workspace, padded(unknowns, kLanes), unknowns, columns};
    double* coordinates = workspace + a.stride * columns;
    const Cloud x{coordinates, padded(s.nodes, kLanes), s.dimension};
    double* memory = coordinates + s.dimension * x.stride;
    for (std::int64_t stencil = 0; stencil < count; ++stencil) {
        const double* nodes = offsets + stencil * s.nodes * s.dimension;
        for (std::int64_t axis = 0; axis < s.dimension; ++axis)
            for (std::int64_t i = 0; i < x.stride; ++i)
                coordinates[axis * x.stride + i] =
                    i < s.nodes ? nodes[i * s.dimension + axis] : 0.0;
        const double norm = fill_matrix(s, x, a, memory);
        for (std::int64_t point = 0; point < s.points; ++point)
            fill_right_hand_sides(s, x, points + (stencil * s.points + point) * s.dimension, a,
                                  unknowns + point * s.derivatives, memory);
        for (std::int64_t j = 0; j < s.probes; ++j)
            for (std::int64_t i = 0; i < a.stride; ++i)
                a.column(unknowns + wanted + j)[i] = i < unknowns ? s.probe[j * unknowns + i] : 0.0;
        const bool solved = solve(a);
        // For a normally distributed z, E |K^-1 z|^2 = |K^-1|_F^2.
        const double probed = frobenius_norm(a, unknowns + wanted, columns);
        const double estimate = solved
                                    ? norm * probed / __builtin_sqrt(static_cast<double>(s.probes))
                                    : __builtin_inf();
        condition[stencil] = estimate == estimate ? estimate : __builtin_inf();
        double* out = weights + stencil * wanted * s.nodes;
        for (std::int64_t j = 0; j < wanted; ++j)
            for (std::int64_t i = 0; i < s.nodes; ++i)
                out[j * s.nodes + i] = solved ? a.column(unknowns + j)[i] : __builtin_nan("");
    }
}

StencilSolver solver() { return solve_stencils; }

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
