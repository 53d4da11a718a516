#include <cuda_runtime.h>

#include <type_traits>

#include "launch.h"
#include "launch_shape.h"
#include "product_columns.cuh"
#include "product_vector.cuh"
#include "sampled.cuh"

namespace dtpinn {
namespace {

cudaError_t current_device(DeviceLimits& limits) {
    int device = 0, processors = 0, threads = 0, x = 0, y = 0;
    cudaError_t error = cudaGetDevice(&device);
    const auto read = [&](int& value, cudaDeviceAttr attribute) {
        if (error == cudaSuccess) error = cudaDeviceGetAttribute(&value, attribute, device);
    };
    read(processors, cudaDevAttrMultiProcessorCount);
    read(threads, cudaDevAttrMaxThreadsPerMultiProcessor);
    read(x, cudaDevAttrMaxGridDimX);
    read(y, cudaDevAttrMaxGridDimY);
    limits = {static_cast<std::int64_t>(processors) * threads, x, y};
    return error;
}

// `width`, known when the program runs, as a constant: launch(std::integral_constant<int, width>).
template <int smallest, typename Launch>
cudaError_t with_constant(int width, const Launch& launch) {
    if constexpr (smallest < kWarp) {
        if (width > smallest) return with_constant<2 * smallest>(width, launch);
    }
    return launch(std::integral_constant<int, smallest>{});
}

template <typename... Parameters>
cudaError_t launch(std::int64_t blocks_x, std::int64_t blocks_y, int warps, cudaStream_t stream,
                   void (*kernel)(Parameters...), const std::decay_t<Parameters>&... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(blocks_x), static_cast<unsigned>(blocks_y));
    config.blockDim = dim3(static_cast<unsigned>(warps * kWarp));
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
}

// Blocks of so many warps, for sub-warps of `threads` per row.
std::int64_t blocks_of_rows(std::int64_t rows, int threads, int warps, const DeviceLimits& device) {
    const int rows_per_warp = kWarp / threads;
    return blocks_for((rows - 1) / rows_per_warp + 1, warps, device);
}

}  // namespace

template <typename Scalar, typename Index>
cudaError_t launch_csr_product(const CsrView<Scalar, Index>& A, const Index* perm, const Scalar* x,
                               Scalar* y, std::int64_t k, std::int64_t nnz, cudaStream_t stream) {
    if (A.rows == 0 || k == 0) return cudaSuccess;
    DeviceLimits device;
    if (const auto error = current_device(device); error != cudaSuccess) return error;
    if (k == 1) {
        const int threads = threads_per_row((nnz - 1) / A.rows + 1, A.rows, device);
        const std::int64_t blocks = blocks_of_rows(A.rows, threads, kBlockWarps, device);
        return with_constant<4>(threads, [&](auto width) {
            return launch(blocks, 1, kBlockWarps, stream,
                          csr_product_vector<width(), Scalar, Index>, A, perm, x, y);
        });
    }
    const int tile = column_tile(k);
    const std::int64_t blocks = blocks_of_rows(A.rows, kWarp, kColumnWarps, device);
    const std::int64_t along = blocks_along_columns(A.rows, (k - 1) / tile + 1, device);
    return with_constant<2>(tile, [&](auto width) {
        return launch(blocks, along, kColumnWarps, stream,
                      csr_product_columns<width(), Scalar, Index>, A, perm, x, y, k);
    });
}

template <typename Scalar, typename Index>
cudaError_t launch_csr_sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x,
                               Scalar* out, std::int64_t k, std::int64_t nnz, cudaStream_t stream) {
    if (A.rows == 0 || nnz == 0) return cudaSuccess;
    DeviceLimits device;
    if (const auto error = current_device(device); error != cudaSuccess) return error;
    if (const int threads = threads_per_entry(k); threads > 1) {
        const std::int64_t blocks = blocks_of_rows(A.rows, kWarp, kBlockWarps, device);
        return with_constant<2>(threads, [&](auto width) {
            return launch(blocks, 1, kBlockWarps, stream,
                          csr_sampled<kWarp, width(), Scalar, Index>, A, y, x, out, k);
        });
    }
    const int threads = threads_per_row((nnz - 1) / A.rows + 1, A.rows, device);
    const std::int64_t blocks = blocks_of_rows(A.rows, threads, kBlockWarps, device);
    return with_constant<4>(threads, [&](auto width) {
        return launch(blocks, 1, kBlockWarps, stream, csr_sampled<width(), 1, Scalar, Index>, A, y,
                      x, out, k);
    });
}

#define DTPINN_INSTANTIATE(Scalar, Index)                                                       \
    template cudaError_t launch_csr_product(const CsrView<Scalar, Index>&, const Index*,        \
                                            const Scalar*, Scalar*, std::int64_t, std::int64_t, \
                                            cudaStream_t);                                      \
    template cudaError_t launch_csr_sampled(const CsrView<Scalar, Index>&, const Scalar*,       \
                                            const Scalar*, Scalar*, std::int64_t, std::int64_t, \
                                            cudaStream_t);

DTPINN_INSTANTIATE(double, std::int32_t)
DTPINN_INSTANTIATE(double, std::int64_t)
DTPINN_INSTANTIATE(float, std::int32_t)
DTPINN_INSTANTIATE(float, std::int64_t)

}  // namespace dtpinn
