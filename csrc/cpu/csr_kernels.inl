// The kernels themselves, compiled once per instruction set: the including file fixes the target
// (by a pragma, after the standard headers), the name DTPINN_TARGET of the namespace and
// DTPINN_LANE_BYTES, the width of a vector register. GCC's and Clang's vector extensions turn the
// same source into SSE2, AVX2, AVX-512 or NEON; products and sums contract to fma where there is
// one.
//
// The compiler does not vectorise loops here by itself: it would do so differently for 32-bit and
// 64-bit indices, splitting multiply-adds on the way, and the bits of a result would depend on how
// the indices are stored.
//
// Loads of x are scalar on purpose: with node order of any locality they beat vgather on AVX2, and
// come close to it on AVX-512.

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-vectorize")
#endif

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar>
struct Lanes {
    static constexpr int count = DTPINN_LANE_BYTES / sizeof(Scalar);
    typedef Scalar type __attribute__((vector_size(DTPINN_LANE_BYTES)));
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

template <typename Scalar>
static inline typename Lanes<Scalar>::type load(const Scalar* p) {
    typename Lanes<Scalar>::type v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <typename Scalar, typename Index>
static inline typename Lanes<Scalar>::type gather(const Scalar* x, const Index* col) {
    typename Lanes<Scalar>::type v;
    for (int lane = 0; lane < Lanes<Scalar>::count; ++lane) v[lane] = x[col[lane]];
    return v;
}

template <typename Scalar>
static inline Scalar sum_lanes(typename Lanes<Scalar>::type v) {
    Scalar total = v[0];
    for (int lane = 1; lane < Lanes<Scalar>::count; ++lane) total += v[lane];
    return total;
}

template <typename Scalar, typename Index>
static void product_vector(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                           std::int64_t begin, std::int64_t end) {
    constexpr int lanes = Lanes<Scalar>::count;
    using Vector = typename Lanes<Scalar>::type;
    for (std::int64_t i = begin; i < end; ++i) {
        std::int64_t e = A.crow[i];
        const std::int64_t stop = A.crow[i + 1];
        // Two accumulators hide most of the latency of an addition at 20 to 60 entries a row.
        Vector even = {}, odd = {};
        for (; e + 2 * lanes <= stop; e += 2 * lanes) {
            even += load(A.values + e) * gather(x, A.col + e);
            odd += load(A.values + e + lanes) * gather(x, A.col + e + lanes);
        }
        if (e + lanes <= stop) {
            even += load(A.values + e) * gather(x, A.col + e);
            e += lanes;
        }
        Scalar tail = 0;
        for (; e < stop; ++e) tail = multiply_add(A.values[e], x[A.col[e]], tail);
        y[i] = sum_lanes<Scalar>(even + odd) + tail;
    }
}

// One row times `vectors` registers of columns. The last register is moved back so that it ends at
// the last column: it recomputes a few columns to the same bits instead of needing a scalar tail.
template <int vectors, typename Scalar, typename Index>
static inline void row_times_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* yi,
                                     std::int64_t k, std::int64_t first, std::int64_t e,
                                     std::int64_t stop) {
    constexpr int lanes = Lanes<Scalar>::count;
    std::int64_t offset[vectors];
    typename Lanes<Scalar>::type sum[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
        const std::int64_t wanted = first + v * lanes;
        offset[v] = wanted + lanes <= k ? wanted : k - lanes;
        sum[v] = typename Lanes<Scalar>::type{};
    }
    for (; e < stop; ++e) {
        const Scalar* row = x + static_cast<std::int64_t>(A.col[e]) * k;
        const Scalar value = A.values[e];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sum[v] += value * load(row + offset[v]);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) __builtin_memcpy(yi + offset[v], &sum[v], sizeof sum[v]);
}

// Fewer columns than a register has lanes: their number is known to the compiler, so that the sums
// stay in registers. Two rows of sums, for entries in turn, hide the latency of an addition.
template <int k, typename Scalar, typename Index>
static void product_few_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                                std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        std::int64_t e = A.crow[i];
        const std::int64_t stop = A.crow[i + 1];
        Scalar even[k] = {}, odd[k] = {};
        for (; e + 2 <= stop; e += 2) {
            const Scalar* first = x + static_cast<std::int64_t>(A.col[e]) * k;
            const Scalar* second = x + static_cast<std::int64_t>(A.col[e + 1]) * k;
#pragma GCC unroll 16
            for (int j = 0; j < k; ++j) {
                even[j] = multiply_add(A.values[e], first[j], even[j]);
                odd[j] = multiply_add(A.values[e + 1], second[j], odd[j]);
            }
        }
        if (e < stop) {
            const Scalar* last = x + static_cast<std::int64_t>(A.col[e]) * k;
#pragma GCC unroll 16
            for (int j = 0; j < k; ++j) even[j] = multiply_add(A.values[e], last[j], even[j]);
        }
#pragma GCC unroll 16
        for (int j = 0; j < k; ++j) y[i * k + j] = even[j] + odd[j];
    }
}

// Calls product_few_columns<k> for the k in [2, limit) that is asked for.
template <int limit, typename Scalar, typename Index>
static void choose_few_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                               std::int64_t k, std::int64_t begin, std::int64_t end) {
    if constexpr (limit > 2) {
        if (k == limit - 1) {
            product_few_columns<limit - 1>(A, x, y, begin, end);
        } else {
            choose_few_columns<limit - 1>(A, x, y, k, begin, end);
        }
    }
}

template <typename Scalar, typename Index>
static void product_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                            std::int64_t k, std::int64_t begin, std::int64_t end) {
    constexpr int lanes = Lanes<Scalar>::count;
    if (k < lanes) {
        choose_few_columns<lanes>(A, x, y, k, begin, end);
        return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t e = A.crow[i], stop = A.crow[i + 1];
        Scalar* yi = y + i * k;
        for (std::int64_t first = 0; first < k; first += 4 * lanes) {
            switch (k - first > 3 * lanes ? 4 : (k - first + lanes - 1) / lanes) {
                case 4:
                    row_times_columns<4>(A, x, yi, k, first, e, stop);
                    break;
                case 3:
                    row_times_columns<3>(A, x, yi, k, first, e, stop);
                    break;
                case 2:
                    row_times_columns<2>(A, x, yi, k, first, e, stop);
                    break;
                default:
                    row_times_columns<1>(A, x, yi, k, first, e, stop);
                    break;
            }
        }
    }
}

template <typename Scalar, typename Index>
static void sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x, Scalar* out,
                    std::int64_t k, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        const Scalar* yi = y + i * k;
        for (std::int64_t e = A.crow[i]; e < A.crow[i + 1]; ++e) {
            const Scalar* xj = x + static_cast<std::int64_t>(A.col[e]) * k;
            Scalar sum = 0;
            for (std::int64_t j = 0; j < k; ++j) sum = multiply_add(yi[j], xj[j], sum);
            out[e] = sum;
        }
    }
}

template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels() {
    static const CsrKernels<Scalar, Index> table{
        product_vector<Scalar, Index>, product_columns<Scalar, Index>, sampled<Scalar, Index>};
    return table;
}

template const CsrKernels<double, std::int32_t>& kernels();
template const CsrKernels<double, std::int64_t>& kernels();
template const CsrKernels<float, std::int32_t>& kernels();
template const CsrKernels<float, std::int64_t>& kernels();

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
