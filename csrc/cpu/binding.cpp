// The operators on the CPU: check, allocate, split the rows among threads, run the kernel.
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <algorithm>

#include "../csr/prepare.h"
#include "../csr/transpose.h"
#include "../csr/validate.h"
#include "dispatch.h"

namespace dtpinn {
namespace {

// Entries times columns that keep a thread busy for about as long as it takes to wake it (2 us).
constexpr std::int64_t kWorkPerThread = 8192;

// Calls rows(begin, end) on pieces of about equal numbers of entries (not of rows: one dense row
// among sparse ones must not leave the other threads idle).
template <typename Index, typename Rows>
void parallel_rows(const Index* crow, std::int64_t rows, std::int64_t nnz, std::int64_t k,
                   const Rows& body) {
    TORCH_CHECK_VALUE(crow[rows] == nnz, "CSR: crow ends at ", crow[rows], " where there are ", nnz,
                      " entries; the indices of a matrix must not be changed");
    const std::int64_t work = (nnz + rows) * std::max<std::int64_t>(k, 1);
    const std::int64_t pieces =
        std::clamp<std::int64_t>(work / kWorkPerThread, 1, at::get_num_threads());
    if (pieces == 1) {
        body(0, rows);
        return;
    }
    const auto start = [&](std::int64_t piece) -> std::int64_t {
        if (piece == 0) return 0;
        if (piece == pieces) return rows;
        return std::lower_bound(crow, crow + rows, static_cast<Index>(nnz / pieces * piece)) - crow;
    };
    at::parallel_for(0, pieces, 1, [&](std::int64_t first, std::int64_t last) {
        body(start(first), start(last));
    });
}

at::Tensor product_cpu(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& values,
                       const at::Tensor& crow_t, const at::Tensor& col_t,
                       const std::optional<at::Tensor>& values_t, const at::Tensor& perm,
                       const at::Tensor& x, bool transpose) {
    auto p = prepare_product({crow, col, values, crow_t, col_t, values_t, perm}, x, transpose);
    if (p.y.numel() == 0) return unfold(p.y, x);
    // Once, in the order of memory; the vector kernels would gather at every entry.
    if (p.perm.defined()) p.values = p.values.index_select(0, p.perm);
    AT_DISPATCH_FLOATING_TYPES(p.values.scalar_type(), "csr_product", [&] {
        AT_DISPATCH_INDEX_TYPES(p.crow.scalar_type(), "csr_product", [&] {
            const CsrView<scalar_t, index_t> A{
                p.crow.const_data_ptr<index_t>(), p.col.const_data_ptr<index_t>(),
                p.values.const_data_ptr<scalar_t>(), p.rows, p.columns};
            const auto* in = p.x.const_data_ptr<scalar_t>();
            auto* out = p.y.mutable_data_ptr<scalar_t>();
            const auto& kernels = csr_kernels<scalar_t, index_t>();
            parallel_rows(A.crow, A.rows, p.col.size(0), p.k,
                          [&](std::int64_t begin, std::int64_t end) {
                              if (p.k == 1) {
                                  kernels.product_vector(A, in, out, begin, end);
                              } else {
                                  kernels.product_columns(A, in, out, p.k, begin, end);
                              }
                          });
        });
    });
    return unfold(p.y, x);
}

at::Tensor sampled_cpu(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& crow_t,
                       const at::Tensor& col_t, const at::Tensor& perm, const at::Tensor& y,
                       const at::Tensor& x) {
    auto p = prepare_sampled({crow, col, {}, crow_t, col_t, {}, perm}, y, x);
    if (p.out.numel() == 0) return p.out;
    AT_DISPATCH_FLOATING_TYPES(p.x.scalar_type(), "csr_sampled", [&] {
        AT_DISPATCH_INDEX_TYPES(p.crow.scalar_type(), "csr_sampled", [&] {
            const CsrView<scalar_t, index_t> A{p.crow.const_data_ptr<index_t>(),
                                               p.col.const_data_ptr<index_t>(), nullptr, p.rows,
                                               p.columns};
            const auto* left = p.y.const_data_ptr<scalar_t>();
            const auto* right = p.x.const_data_ptr<scalar_t>();
            auto* out = p.out.mutable_data_ptr<scalar_t>();
            const auto& kernels = csr_kernels<scalar_t, index_t>();
            parallel_rows(A.crow, A.rows, p.col.size(0), p.k,
                          [&](std::int64_t begin, std::int64_t end) {
                              kernels.sampled(A, left, right, out, p.k, begin, end);
                          });
        });
    });
    return p.out;
}

// Unlike the products this one also checks the structure: it runs once per matrix, and its writes
// are scattered by the very indices that would have to be trusted.
std::tuple<at::Tensor, at::Tensor, at::Tensor> transpose_cpu(const at::Tensor& crow,
                                                             const at::Tensor& col,
                                                             std::int64_t columns) {
    validate_structure(crow, col, columns);
    const auto starts = crow.contiguous(), indices = col.contiguous();
    auto crow_t = at::empty({columns + 1}, crow.options());
    auto col_t = at::empty_like(indices), perm = at::empty_like(indices);
    AT_DISPATCH_INDEX_TYPES(crow.scalar_type(), "csr_transpose", [&] {
        transpose_structure(starts.const_data_ptr<index_t>(), indices.const_data_ptr<index_t>(),
                            starts.size(0) - 1, columns, crow_t.mutable_data_ptr<index_t>(),
                            col_t.mutable_data_ptr<index_t>(), perm.mutable_data_ptr<index_t>());
    });
    return {crow_t, col_t, perm};
}

}  // namespace

TORCH_LIBRARY_IMPL(dtpinn, CPU, m) {
    m.impl("csr_product", product_cpu);
    m.impl("csr_sampled", sampled_cpu);
    m.impl("csr_transpose", transpose_cpu);
}

}  // namespace dtpinn
