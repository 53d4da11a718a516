#include "csr_product.cuh"
#include "launch.h"

namespace dtpinn {
namespace {

constexpr int kThreads = 128;

unsigned blocks_for(std::int64_t threads) {
    return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

template <int threads_per_row, typename Scalar, typename Index>
void launch_vector(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                   cudaStream_t stream) {
    csr_product_vector<threads_per_row>
        <<<blocks_for(A.rows * threads_per_row), kThreads, 0, stream>>>(A, x, y);
}

}  // namespace

template <typename Scalar, typename Index>
void launch_csr_product(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y, std::int64_t k,
                        std::int64_t nnz, cudaStream_t stream) {
    if (A.rows == 0 || k == 0) return;
    if (k > 1) {
        csr_product_columns<<<blocks_for(A.rows * 32), kThreads, 0, stream>>>(A, x, y, k);
        return;
    }
    // About two entries per thread: enough loads in flight, few idle lanes at 21 to 57 a row.
    const std::int64_t mean = nnz / A.rows;
    if (mean > 48) {
        launch_vector<32>(A, x, y, stream);
    } else if (mean > 24) {
        launch_vector<16>(A, x, y, stream);
    } else if (mean > 8) {
        launch_vector<8>(A, x, y, stream);
    } else {
        launch_vector<4>(A, x, y, stream);
    }
}

template <typename Scalar, typename Index>
void launch_csr_sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x,
                        Scalar* out, std::int64_t k, cudaStream_t stream) {
    if (A.rows == 0) return;
    csr_sampled<<<blocks_for(A.rows * 32), kThreads, 0, stream>>>(A, y, x, out, k);
}

#define DTPINN_INSTANTIATE(Scalar, Index)                                                         \
    template void launch_csr_product(const CsrView<Scalar, Index>&, const Scalar*, Scalar*,       \
                                     std::int64_t, std::int64_t, cudaStream_t);                   \
    template void launch_csr_sampled(const CsrView<Scalar, Index>&, const Scalar*, const Scalar*, \
                                     Scalar*, std::int64_t, cudaStream_t);

DTPINN_INSTANTIATE(double, std::int32_t)
DTPINN_INSTANTIATE(double, std::int64_t)
DTPINN_INSTANTIATE(float, std::int32_t)
DTPINN_INSTANTIATE(float, std::int64_t)

}  // namespace dtpinn
