// The operators' schemas and the typed calls to them.
//
// The schema is closed under differentiation: every derivative of csr_product and csr_sampled, of
// any order, in x and in the values, is again one of the two on the same seven tensors.
//   d(A x)/dx        csr_product, transpose flipped
//   d(A x)/dvalues   csr_sampled
//   d sampled/d(y,x) csr_product with the incoming gradient as values
// A derivative is always taken in `values`, also of the transposed product, so one permutation
// serves both directions and values_t is only ever a copy made for speed.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "ops.h"

TORCH_LIBRARY(dtpinn, m) {
    m.def(
        "csr_product(Tensor crow, Tensor col, Tensor values, Tensor crow_t, Tensor col_t, "
        "Tensor? values_t, Tensor perm, Tensor x, bool transpose=False) -> Tensor",
        {at::Tag::pt2_compliant_tag});
    m.def(
        "csr_sampled(Tensor crow, Tensor col, Tensor crow_t, Tensor col_t, Tensor perm, "
        "Tensor y, Tensor x) -> Tensor",
        {at::Tag::pt2_compliant_tag});
    m.def(
        "csr_transpose(Tensor crow, Tensor col, SymInt columns) -> (Tensor crow_t, Tensor col_t, "
        "Tensor perm)",
        {at::Tag::pt2_compliant_tag});
}

namespace dtpinn {

at::Tensor csr_product(const CsrTensors& A, const at::Tensor& x, bool transpose) {
    using Signature =
        at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                   const at::Tensor&, const std::optional<at::Tensor>&, const at::Tensor&,
                   const at::Tensor&, bool);
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("dtpinn::csr_product", "")
                               .typed<Signature>();
    return op.call(A.crow, A.col, A.values, A.crow_t, A.col_t, A.values_t, A.perm, x, transpose);
}

at::Tensor csr_sampled(const CsrTensors& A, const at::Tensor& y, const at::Tensor& x) {
    using Signature =
        at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                   const at::Tensor&, const at::Tensor&, const at::Tensor&);
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("dtpinn::csr_sampled", "")
                               .typed<Signature>();
    return op.call(A.crow, A.col, A.crow_t, A.col_t, A.perm, y, x);
}

}  // namespace dtpinn
