// The hyperbolic tangent, several numbers at a time, to 2 units in the last place.
//
// With e = exp(2|x|) - 1 it is e / (e + 2). Where |x| = n ln(2)/2 + r, 0 <= r <= ln(2)/2,
//
//     e = 2^n p + (2^n - 1),    p = exp(2r) - 1 = 2r + w,    w = r^2 Q(r),
//
// whose terms are never negative: nothing cancels, and p is as exact for the smallest x as for any.
// Yet for n = 0 the roundings of e and e + 2 alone would make up to 2.6 units, where e is just
// above a power of two and tanh just below one. So there it is r and a small term, about -r^3 / 3,
//
//     p / (p + 2) = r + (w - r p) / (p + 2).
//
// The largest error that was found is 1.5 units. Q is the polynomial of least relative error in p
// (computed by Remez's algorithm in 60 digits): 2^-55.4 at degree 9, 2^-31.7 at degree 5.
#pragma once

#include "../cpu/lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar>
struct TanhConstants;

template <>
struct TanhConstants<double> {
    using Bits = std::int64_t;
    static constexpr int mantissa = 52;
    static constexpr double per_halving = 0x1.71547652b82fep+1;  // 2 / ln(2)
    static constexpr double high = 0x1.62e42fefa3000p-2;  // ln(2) / 2, so that n high is exact
    static constexpr double low = 0x1.3de6af278ece6p-43;
    static constexpr double largest = 20.0;  // tanh is 1 to rounding from 19.06 on
    static constexpr double Q[] = {
        0x1.fffffffffffa8p+0,  0x1.55555555586a7p+0,  0x1.5555555424d97p-1, 0x1.1111114b0389cp-2,
        0x1.6c16b4cbe4dcap-4,  0x1.a01bb379264edp-6,  0x1.9ff4f56a84a74p-8, 0x1.73e171e3b4a09p-10,
        0x1.16c16b2c15b3ap-12, 0x1.2745984f54726p-14,
    };
};

template <>
struct TanhConstants<float> {
    using Bits = std::int32_t;
    static constexpr int mantissa = 23;
    static constexpr float per_halving = 2.885390082f;
    static constexpr float high = 0x1.62e4p-2f;
    static constexpr float low = 7.14303410155e-7f;
    static constexpr float largest = 10.0f;  // from 9.01 on
    static constexpr float Q[] = {1.99999989272f,  1.33333949879f,  0.666549851502f,
                                  0.267673912337f, 0.084559669891f, 0.0342847765477f};
};

template <typename Scalar, int bytes>
static inline typename Lanes<Scalar, bytes>::type tanh_lanes(
    typename Lanes<Scalar, bytes>::type x) {
    using C = TanhConstants<Scalar>;
    using Vector = typename Lanes<Scalar, bytes>::type;
    typedef typename C::Bits Word __attribute__((vector_size(bytes)));
    constexpr Scalar one = 1;
    constexpr typename C::Bits sign_bit = static_cast<typename C::Bits>(1)
                                          << (8 * sizeof(Scalar) - 1);
    // Adding it rounds to an integer, which then stands in the lowest bits.
    constexpr Scalar rounder = static_cast<Scalar>(3ll << (C::mantissa - 1));

    const Word sign = reinterpret_cast<Word>(x) & sign_bit;
    Vector t = reinterpret_cast<Vector>(reinterpret_cast<Word>(x) ^ sign);
    t = t > C::largest ? Vector{} + C::largest : t;  // NaN stays
    const Vector shifted = (t * C::per_halving - static_cast<Scalar>(0.5)) + rounder;
    const Vector n = shifted - rounder;
    const Vector r = (t - n * C::high) - n * C::low;
    constexpr int degree = sizeof(C::Q) / sizeof(Scalar) - 1;
    static_assert(degree % 2 == 1, "two polynomials in r^2 of equal length");
    const Vector square = r * r;  // even and odd powers apart: chains of half the length
    Vector even = Vector{} + C::Q[degree - 1], odd = Vector{} + C::Q[degree];
#pragma GCC unroll 8
    for (int i = degree - 3; i >= 0; i -= 2) {
        even = even * square + C::Q[i];
        odd = odd * square + C::Q[i + 1];
    }
    const Vector w = square * (odd * r + even);
    const Vector p = (r + r) + w;
    const Word exponent = reinterpret_cast<Word>(shifted) << C::mantissa;
    const Vector scale =
        reinterpret_cast<Vector>(exponent + reinterpret_cast<Word>(Vector{} + one));
    const Vector e = scale * p + (scale - one);
    const auto small = n == Vector{};
    const Vector ratio = (small ? w - r * p : e) / (e + static_cast<Scalar>(2));
    return reinterpret_cast<Vector>(reinterpret_cast<Word>(small ? r + ratio : ratio) ^ sign);
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
