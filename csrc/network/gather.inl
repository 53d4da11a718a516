// Between arrays whose rows are points and strips, where a register holds a feature of several.
#pragma once

#include "kernels.h"
#include "multiply.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// Points of a strip that exist: the last one may be filled up.
template <typename Scalar>
static inline std::int64_t points_of(std::int64_t strip, std::int64_t rows) {
    const std::int64_t left = rows - strip * kUnit<Scalar>;
    return left < kUnit<Scalar> ? left : kUnit<Scalar>;
}

// Calls body(from, pass, strip, to) for every strip of every pass: the place of its first point in
// an array (passes, rows, columns), and its own in (strips, passes, columns, Unit).
template <typename Scalar, typename Body>
static inline void for_strips(std::int64_t rows, std::int64_t columns, std::int64_t passes,
                              std::int64_t begin, std::int64_t end, const Body& body) {
    for (std::int64_t s = begin; s < end; ++s)
        for (std::int64_t q = 0; q < passes; ++q)
            body((q * rows + s * kUnit<Scalar>)*columns, q, s,
                 ((s - begin) * passes + q) * columns * kUnit<Scalar>);
}

// One strip of an array of rows; zeros where there is no point.
template <typename Scalar>
static inline void gather_strip(const Scalar* from, std::int64_t columns, std::int64_t points,
                                Scalar* to) {
    for (std::int64_t c = 0; c < columns; ++c)
        for (std::int64_t i = 0; i < kUnit<Scalar>; ++i)
            to[c * kUnit<Scalar> + i] = i < points ? from[i * columns + c] : Scalar(0);
}

template <typename Scalar>
static inline void scatter_strip(const Scalar* from, std::int64_t columns, std::int64_t points,
                                 Scalar* to) {
    for (std::int64_t i = 0; i < points; ++i)
        for (std::int64_t c = 0; c < columns; ++c)
            to[i * columns + c] = from[c * kUnit<Scalar> + i];
}

// The features of one strip: (v - shift) * factor, either of them nullptr for none.
template <typename Scalar>
static inline void normalise_strip(Scalar* strip, std::int64_t columns, const Scalar* shift,
                                   const Scalar* factor) {
    for (std::int64_t c = 0; c < columns; ++c)
        for (std::int64_t i = 0; i < kUnit<Scalar>; ++i) {
            Scalar& v = strip[c * kUnit<Scalar> + i];
            if (shift) v -= shift[c];
            if (factor) v *= factor[c];
        }
}

// What the layers see of points and directions.
template <typename Scalar>
static void gather_inputs(const Network<Scalar>& net, const NetworkArrays<Scalar>& a,
                          std::int64_t begin, std::int64_t end, Scalar* inputs) {
    const std::int64_t d = net.inputs();
    for_strips<Scalar>(
        a.rows, d, net.passes, begin, end,
        [&](std::int64_t from, std::int64_t q, std::int64_t s, std::int64_t to) {
            const Scalar* rows = q == 0 ? a.x + from : a.directions + (from - a.rows * d);
            gather_strip(rows, d, points_of<Scalar>(s, a.rows), inputs + to);
            normalise_strip(inputs + to, d, q == 0 ? net.middle : nullptr, net.factor);
        });
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
