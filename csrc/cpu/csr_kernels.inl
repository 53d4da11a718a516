// The kernels themselves, compiled once per instruction set: the including file fixes the target
// (by a pragma, after the standard headers), the name DTPINN_TARGET of the namespace and
// DTPINN_LANE_BYTES, the width of a vector register. GCC's and Clang's vector extensions turn the
// same source into SSE2, AVX2, AVX-512 or NEON; products and sums contract to fma where there is
// one.
//
// Loads of x are scalar on purpose: with node order of any locality they beat vgather on AVX2, and
// come close to it on AVX-512.

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar>
struct Lanes {
    static constexpr int count = DTPINN_LANE_BYTES / sizeof(Scalar);
    typedef Scalar type __attribute__((vector_size(DTPINN_LANE_BYTES)));
};

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
        for (; e < stop; ++e) tail += A.values[e] * x[A.col[e]];
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

template <typename Scalar, typename Index>
static inline void row_times_few_columns(const CsrView<Scalar, Index>& A, const Scalar* x,
                                         Scalar* yi, std::int64_t k, std::int64_t e,
                                         std::int64_t stop) {
    Scalar sum[Lanes<Scalar>::count] = {};
    for (; e < stop; ++e) {
        const Scalar* row = x + static_cast<std::int64_t>(A.col[e]) * k;
        for (std::int64_t j = 0; j < k; ++j) sum[j] += A.values[e] * row[j];
    }
    for (std::int64_t j = 0; j < k; ++j) yi[j] = sum[j];
}

template <typename Scalar, typename Index>
static void product_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                            std::int64_t k, std::int64_t begin, std::int64_t end) {
    constexpr int lanes = Lanes<Scalar>::count;
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t e = A.crow[i], stop = A.crow[i + 1];
        Scalar* yi = y + i * k;
        if (k < lanes) {
            row_times_few_columns(A, x, yi, k, e, stop);
            continue;
        }
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
            for (std::int64_t j = 0; j < k; ++j) sum += yi[j] * xj[j];
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
