// The operators on CUDA: check, allocate the output, launch on torch's current stream.
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "../csr/prepare.h"
#include "launch.h"

namespace dtpinn {
namespace {

at::Tensor product_cuda(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& values,
                        const at::Tensor& crow_t, const at::Tensor& col_t,
                        const std::optional<at::Tensor>& values_t, const at::Tensor& perm,
                        const at::Tensor& x, bool transpose) {
    auto p = prepare_product({crow, col, values, crow_t, col_t, values_t, perm}, x, transpose);
    const c10::cuda::CUDAGuard guard(p.y.device());  // after the checks: x may be anywhere
    if (p.y.numel() == 0) return unfold(p.y, x);
    const auto stream = c10::cuda::getCurrentCUDAStream();
    AT_DISPATCH_FLOATING_TYPES(p.values.scalar_type(), "csr_product", [&] {
        AT_DISPATCH_INDEX_TYPES(p.crow.scalar_type(), "csr_product", [&] {
            const CsrView<scalar_t, index_t> A{
                p.crow.const_data_ptr<index_t>(), p.col.const_data_ptr<index_t>(),
                p.values.const_data_ptr<scalar_t>(), p.rows, p.columns};
            const auto* perm = p.perm.defined() ? p.perm.const_data_ptr<index_t>() : nullptr;
            C10_CUDA_CHECK(launch_csr_product(A, perm, p.x.const_data_ptr<scalar_t>(),
                                              p.y.mutable_data_ptr<scalar_t>(), p.k, p.col.size(0),
                                              stream.stream()));
        });
    });
    return unfold(p.y, x);
}

at::Tensor sampled_cuda(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& crow_t,
                        const at::Tensor& col_t, const at::Tensor& perm, const at::Tensor& y,
                        const at::Tensor& x) {
    auto p = prepare_sampled({crow, col, {}, crow_t, col_t, {}, perm}, y, x);
    const c10::cuda::CUDAGuard guard(p.out.device());
    if (p.out.numel() == 0) return p.out;
    const auto stream = c10::cuda::getCurrentCUDAStream();
    AT_DISPATCH_FLOATING_TYPES(p.x.scalar_type(), "csr_sampled", [&] {
        AT_DISPATCH_INDEX_TYPES(p.crow.scalar_type(), "csr_sampled", [&] {
            const CsrView<scalar_t, index_t> A{p.crow.const_data_ptr<index_t>(),
                                               p.col.const_data_ptr<index_t>(), nullptr, p.rows,
                                               p.columns};
            C10_CUDA_CHECK(launch_csr_sampled(
                A, p.y.const_data_ptr<scalar_t>(), p.x.const_data_ptr<scalar_t>(),
                p.out.mutable_data_ptr<scalar_t>(), p.k, p.col.size(0), stream.stream()));
        });
    });
    return p.out;
}

}  // namespace

TORCH_LIBRARY_IMPL(dtpinn, CUDA, m) {
    m.impl("csr_product", product_cuda);
    m.impl("csr_sampled", sampled_cuda);
}

}  // namespace dtpinn
