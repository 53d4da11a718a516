// Short vectors for the kernels, through GCC's and Clang's vector extensions: one source becomes
// SSE2, AVX2, AVX-512 or NEON, by halves where a processor's registers are narrower.
#pragma once

#include "target.h"

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar, int bytes>
struct Lanes {
    static constexpr int count = bytes / static_cast<int>(sizeof(Scalar));
    typedef Scalar type __attribute__((vector_size(bytes)));
};

// a b + c, rounded once where the processor can.
static inline double multiply_add(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

static inline float multiply_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

template <int bytes, typename Scalar>
static inline typename Lanes<Scalar, bytes>::type load(const Scalar* p) {
    typename Lanes<Scalar, bytes>::type v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <typename Vector, typename Scalar>
static inline void store(Scalar* p, Vector v) {
    __builtin_memcpy(p, &v, sizeof v);
}

// The lanes of v added by halves, (v0 + v2) + (v1 + v3) for four.
template <typename Scalar, int bytes>
static inline Scalar sum_lanes(typename Lanes<Scalar, bytes>::type v) {
    if constexpr (bytes == sizeof(Scalar)) {
        return v[0];
    } else {
        using Half = typename Lanes<Scalar, bytes / 2>::type;
        Half low, high;
        __builtin_memcpy(&low, &v, sizeof low);
        __builtin_memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
        return sum_lanes<Scalar, bytes / 2>(low + high);
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
