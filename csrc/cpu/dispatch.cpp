#include "dispatch.h"

#include <ATen/Version.h>

#include <string>

namespace dtpinn {

namespace baseline {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels();
}
namespace avx2 {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels();
}
namespace avx512 {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels();
}

InstructionSet instruction_set() {
    static const InstructionSet set = [] {
#if defined(__x86_64__)
        const std::string capability = at::get_cpu_capability();
        if (capability == "AVX512") return InstructionSet::avx512;
        if (capability == "AVX2") return InstructionSet::avx2;
#endif
        return InstructionSet::baseline;
    }();
    return set;
}

const char* name(InstructionSet set) {
    switch (set) {
        case InstructionSet::avx512:
            return "avx512";
        case InstructionSet::avx2:
            return "avx2";
        default:
            return "baseline";
    }
}

template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& csr_kernels(InstructionSet set) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx512) return avx512::kernels<Scalar, Index>();
    if (set == InstructionSet::avx2) return avx2::kernels<Scalar, Index>();
#endif
    return baseline::kernels<Scalar, Index>();
}

template const CsrKernels<double, std::int32_t>& csr_kernels(InstructionSet);
template const CsrKernels<double, std::int64_t>& csr_kernels(InstructionSet);
template const CsrKernels<float, std::int32_t>& csr_kernels(InstructionSet);
template const CsrKernels<float, std::int64_t>& csr_kernels(InstructionSet);

}  // namespace dtpinn
