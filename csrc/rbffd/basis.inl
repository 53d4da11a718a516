// The entries of the linear systems: polyharmonic splines r^m and products of Legendre polynomials,
// with their derivatives, for all nodes of a stencil at once.
#pragma once

#include "row.inl"
#include "system.h"

namespace dtpinn {
namespace DTPINN_TARGET {

// Coordinates of a stencil's nodes axis by axis; beyond the last node they are 0.
struct Cloud {
    const double* coordinates;
    std::int64_t stride, dimension;
    const double* axis(std::int64_t a) const { return coordinates + a * stride; }
};

static inline Row square_root(Row v) {
    Row root{};
    for (int lane = 0; lane < kLanes; ++lane) root[lane] = __builtin_sqrt(v[lane]);
    return root;
}

// v^k, k >= 0
static inline Row power(Row v, std::int64_t k) {
    Row result = Row{} + 1.0;
    for (; k > 0; --k) result *= v;
    return result;
}

// out[i] = |x_i - x_j|^m. From differences, not as |x|^2 + |y|^2 - 2 x.y: exactly symmetric, and
// without its cancellation between near nodes.
static void spline_column(const Cloud& x, std::int64_t j, std::int64_t exponent, double* out) {
    for (std::int64_t i = 0; i < x.stride; i += kLanes) {
        Row squared{};
        for (std::int64_t a = 0; a < x.dimension; ++a) {
            const Row difference = row(x.axis(a) + i) - x.axis(a)[j];
            squared += difference * difference;
        }
        store(out + i, square_root(squared) * power(squared, exponent / 2));
    }
}

// values[k, i] = P_k(x_i) for k <= degree, (degree + 1, stride).
static void legendre_along_axis(const double* x, std::int64_t stride, std::int64_t degree,
                                double* values) {
    for (std::int64_t i = 0; i < stride; i += kLanes) {
        const Row v = row(x + i);
        Row before{}, now = Row{} + 1.0;
        store(values + i, now);
        for (std::int64_t k = 0; k < degree; ++k) {
            const double n = static_cast<double>(k);
            const Row next = ((2.0 * n + 1.0) * v * now - n * before) / (n + 1.0);
            store(values + (k + 1) * stride + i, next);
            before = now;
            now = next;
        }
    }
}

// values[t, k] = the t-th derivative of P_k at x, t <= highest, k <= degree, by
// P_(k+1)^(t) = P_(k-1)^(t) + (2 k + 1) P_k^(t-1).
static void legendre_derivatives(double x, std::int64_t degree, std::int64_t highest,
                                 double* values) {
    const std::int64_t stride = degree + 1;
    for (std::int64_t k = 0; k <= degree; ++k) {
        const double n = static_cast<double>(k);
        values[k] = k == 0 ? 1.0
                    : k == 1
                        ? x
                        : ((2.0 * n - 1.0) * x * values[k - 1] - (n - 1.0) * values[k - 2]) / n;
    }
    for (std::int64_t t = 1; t <= highest; ++t) {
        double* derived = values + t * stride;
        for (std::int64_t k = 0; k <= degree; ++k) {
            const double two_before = k >= 2 ? derived[k - 2] : 0.0;
            const double n = static_cast<double>(k);
            derived[k] = k == 0 ? 0.0 : two_before + (2.0 * n - 1.0) * derived[k - 1 - stride];
        }
    }
}

// direction[a, i] = (y - x_i) / r_i along axis a, then r_i in row d.
static void directions(const Cloud& x, const double* y, double* direction) {
    for (std::int64_t i = 0; i < x.stride; i += kLanes) {
        Row squared{};
        for (std::int64_t a = 0; a < x.dimension; ++a) {
            const Row difference = y[a] - row(x.axis(a) + i);
            squared += difference * difference;
        }
        const Row r = square_root(squared);
        // At r = 0 any finite direction will do: it is multiplied by r^(m - |alpha|) = 0.
        const Row divisor = r > 0.0 ? r : Row{} + 1.0;
        for (std::int64_t a = 0; a < x.dimension; ++a)
            store(direction + a * x.stride + i, (y[a] - row(x.axis(a) + i)) / divisor);
        store(direction + x.dimension * x.stride + i, r);
    }
}

// out[i] = D^alpha r^m at y - x_i for derivative number k of the system.
static void spline_derivative(const StencilSystem& s, std::int64_t k, const double* direction,
                              std::int64_t stride, double* out) {
    std::int64_t order = 0;
    for (std::int64_t a = 0; a < s.dimension; ++a) order += s.alpha[k * s.dimension + a];
    for (std::int64_t i = 0; i < stride; i += kLanes) {
        Row angular{};
        for (std::int64_t t = s.first_term[k]; t < s.first_term[k + 1]; ++t) {
            Row term = Row{} + s.factors[t];
            for (std::int64_t a = 0; a < s.dimension; ++a)
                term *= power(row(direction + a * stride + i), s.powers[t * s.dimension + a]);
            angular += term;
        }
        const Row r = row(direction + s.dimension * stride + i);
        store(out + i, angular * power(r, s.exponent - order));
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
