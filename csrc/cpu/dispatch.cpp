#include "dispatch.h"

#include <ATen/Version.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "loading.h"

namespace dtpinn {

namespace baseline {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels(Loading loading);
}
namespace avx2 {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels(Loading loading);
}
namespace avx512 {
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels(Loading loading);
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

template <typename Scalar, typename Index>
Loading choose_loading() {
    const char* variable = std::getenv("DTPINN_LOADS");
    const std::string asked = variable ? variable : "";
    TORCH_CHECK_VALUE(asked.empty() || asked == "scalar" || asked == "gather",
                      "DTPINN_LOADS must be scalar or gather, or unset, got '", asked, "'");
    const InstructionSet set = instruction_set();
    const bool gathers = set != InstructionSet::baseline;
    TORCH_CHECK_VALUE(
        gathers || asked != "gather",
        "DTPINN_LOADS=gather needs the instruction set avx2 or avx512, and the one in "
        "use is baseline: unset it, or ATEN_CPU_CAPABILITY if that is set");
    if (!asked.empty()) return asked == "gather" ? Loading::gather : Loading::scalar;
    return gathers ? faster_loading<Scalar, Index>(set) : Loading::scalar;
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

const char* name(Loading loading) { return loading == Loading::gather ? "gather" : "scalar"; }

// Not a local static, which one thread makes while the others wait: a process that is forked
// meanwhile has no such thread, and would wait for ever. Here several threads may find out; the
// first to say so decides.
template <typename Scalar, typename Index>
Loading loading() {
    constexpr int nobody = -1;
    static std::atomic<int> chosen{nobody};
    int known = chosen.load(std::memory_order_relaxed);
    if (known == nobody) {
        const int found = static_cast<int>(choose_loading<Scalar, Index>());
        if (chosen.compare_exchange_strong(known, found)) known = found;
    }
    return static_cast<Loading>(known);
}

template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& csr_kernels(InstructionSet set, Loading loading) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx512) return avx512::kernels<Scalar, Index>(loading);
    if (set == InstructionSet::avx2) return avx2::kernels<Scalar, Index>(loading);
#endif
    return baseline::kernels<Scalar, Index>(loading);
}

#define DTPINN_INSTANTIATE(Scalar, Index)      \
    template Loading loading<Scalar, Index>(); \
    template const CsrKernels<Scalar, Index>& csr_kernels(InstructionSet, Loading);

DTPINN_INSTANTIATE(double, std::int32_t)
DTPINN_INSTANTIATE(double, std::int64_t)
DTPINN_INSTANTIATE(float, std::int32_t)
DTPINN_INSTANTIATE(float, std::int64_t)

#undef DTPINN_INSTANTIATE

}  // namespace dtpinn
