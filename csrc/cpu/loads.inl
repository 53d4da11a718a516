// A register of x[col[0]], x[col[1]], ...: a load for every lane, or one instruction for all of
// them. Both give the same bits.
#pragma once

#include "lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// Registers of 64 bytes win nothing: lanes that are loaded one by one are put together by halves
// there, and a gather of 64 bytes takes longer than two of 32.
constexpr int kWideBytes = DTPINN_LANE_BYTES < 32 ? DTPINN_LANE_BYTES : 32;

template <typename Scalar>
constexpr int kWidth = Lanes<Scalar, kWideBytes>::count;

template <typename Scalar>
using Wide = typename Lanes<Scalar, kWideBytes>::type;

// col[lane]. Two int32 indices come in one load: loads are what limits here.
template <int lane, typename Index>
static DTPINN_INLINE std::int64_t column(const Index* col) {
    if constexpr (sizeof(Index) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        std::uint64_t two;
        __builtin_memcpy(&two, col + lane / 2 * 2, sizeof two);
        return lane % 2 == 0 ? static_cast<std::uint32_t>(two) : two >> 32;
    } else {
        return col[lane];
    }
}

#if defined(__x86_64__) && DTPINN_LANE_BYTES >= 32  // AVX2; g++ 12 has no __AVX2__ after a pragma

// Each load fills a register, of which a blend takes one lane. Any other way of putting lanes
// together needs shuffles, for which Intel's processors have a single port.
struct ScalarLoads {
    // Zeros in place of the lanes below `first`, whose columns are read and whose x is not.
    template <int first = 0, typename Scalar, typename Index>
    static DTPINN_INLINE Wide<Scalar> get(const Scalar* x, const Index* col) {
        return reinterpret_cast<Wide<Scalar>>(fill<first>(filled(Scalar(0)), x, col));
    }

  private:
    template <int lane, typename Vector, typename Scalar, typename Index>
    static DTPINN_INLINE Vector fill(Vector v, const Scalar* x, const Index* col) {
        if constexpr (lane == kWidth<Scalar>) {
            return v;
        } else {
            return fill<lane + 1>(from<lane>(v, filled(x[column<lane>(col)])), x, col);
        }
    }
    static DTPINN_INLINE __m256d filled(double value) { return _mm256_set1_pd(value); }
    static DTPINN_INLINE __m256 filled(float value) { return _mm256_set1_ps(value); }
    // The lanes of b from `lane` on, those of a below.
    template <int lane>
    static DTPINN_INLINE __m256d from(__m256d a, __m256d b) {
        return _mm256_blend_pd(a, b, 0xf << lane & 0xf);
    }
    template <int lane>
    static DTPINN_INLINE __m256 from(__m256 a, __m256 b) {
        return _mm256_blend_ps(a, b, 0xff << lane & 0xff);
    }
};

// It takes as long as its loads on some processors, many times that on others, and on the same with
// other microcode: loading.cpp tries.
struct HardwareGathers {
    template <int first = 0, typename Scalar, typename Index>
    static DTPINN_INLINE Wide<Scalar> get(const Scalar* x, const Index* col) {
        if constexpr (first > 0) {
            return ScalarLoads::get<first>(x, col);
        } else {
            return reinterpret_cast<Wide<Scalar>>(gather(x, col));
        }
    }

  private:
    static DTPINN_INLINE __m256d gather(const double* x, const std::int32_t* col) {
        return _mm256_mask_i32gather_pd(__m256d(), x, load_as<__m128i>(col), all<__m256d>(), 8);
    }
    static DTPINN_INLINE __m256d gather(const double* x, const std::int64_t* col) {
        return _mm256_mask_i64gather_pd(__m256d(), x, load_as<__m256i>(col), all<__m256d>(), 8);
    }
    static DTPINN_INLINE __m256 gather(const float* x, const std::int32_t* col) {
        return _mm256_mask_i32gather_ps(__m256(), x, load_as<__m256i>(col), all<__m256>(), 4);
    }
    static DTPINN_INLINE __m256 gather(const float* x, const std::int64_t* col) {
        return _mm256_set_m128(half(x, col + 4), half(x, col));
    }
    static DTPINN_INLINE __m128 half(const float* x, const std::int64_t* col) {
        return _mm256_mask_i64gather_ps(__m128(), x, load_as<__m256i>(col), all<__m128>(), 4);
    }
    // Hidden from the compiler: knowing that all lanes are taken, it leaves whatever the register
    // held as the source, and each gather waits for the one before.
    template <typename Vector>
    static DTPINN_INLINE Vector all() {
        Vector mask = reinterpret_cast<Vector>(Vector() == Vector());
        asm("" : "+x"(mask));
        return mask;
    }
    template <typename Vector, typename Index>
    static DTPINN_INLINE Vector load_as(const Index* col) {
        Vector v;
        __builtin_memcpy(&v, col, sizeof v);
        return v;
    }
};

#else

struct ScalarLoads {
    // Zeros in place of the lanes below `first`, whose columns are read and whose x is not.
    template <int first = 0, typename Scalar, typename Index>
    static DTPINN_INLINE Wide<Scalar> get(const Scalar* x, const Index* col) {
        return get<first>(x, col, std::make_integer_sequence<int, kWidth<Scalar>>());
    }

  private:
    template <int first, typename Scalar, typename Index, int... lane>
    static DTPINN_INLINE Wide<Scalar> get(const Scalar* x, const Index* col,
                                          std::integer_sequence<int, lane...>) {
        return Wide<Scalar>{(lane < first ? Scalar(0) : x[column<lane>(col)])...};
    }
};

using HardwareGathers = ScalarLoads;  // there are none

#endif

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
