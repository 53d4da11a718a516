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

namespace {

// What the pragmas of *_avx2.cpp and *_avx512.cpp ask for.
bool processor_has(InstructionSet set) {
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (set == InstructionSet::avx2) return avx2;
    if (set == InstructionSet::avx512) {
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq");
    }
#endif
    return set == InstructionSet::baseline;
}

}  // namespace

InstructionSet instruction_set() {
    static const InstructionSet set = [] {
        // torch believes the environment variable and does not look at the processor.
        const std::string capability = at::get_cpu_capability();
        for (const InstructionSet better : {InstructionSet::avx512, InstructionSet::avx2}) {
            const bool allowed =
                capability == "AVX512" || (capability == "AVX2" && better == InstructionSet::avx2);
            if (allowed && processor_has(better)) return better;
        }
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
