#include "loading.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace dtpinn {
namespace {

// What RBF-FD makes: rows of 31 neighbours, most of them side by side; then rows as in its
// transpose, of any length about that. It stays in the second-level cache.
template <typename Scalar, typename Index>
struct Sample {
    static constexpr std::int64_t rows = 512, columns = rows + 96;
    std::vector<Index> crow{0}, col;
    std::vector<Scalar> values, x, y;

    Sample() : x(columns, Scalar(1)), y(rows) {
        std::uint32_t random = 1;
        const auto below = [&](std::uint32_t bound) {
            random = random * 1664525 + 1013904223;
            return (random >> 16) % bound;
        };
        for (std::int64_t i = 0; i < rows; ++i) {
            const std::int64_t length = i < rows / 2 ? 31 : 20 + below(23);
            std::int64_t next = i;  // at most i + 42 + 8 * 6
            for (std::int64_t e = 0; e < length; ++e, ++next) {
                if (e % 5 == 4) next += below(7);
                col.push_back(static_cast<Index>(next));
            }
            crow.push_back(static_cast<Index>(col.size()));
        }
        values.assign(col.size(), Scalar(1));
    }

    double seconds(const CsrKernels<Scalar, Index>& kernels) {
        using Clock = std::chrono::steady_clock;
        const CsrView<Scalar, Index> A{crow.data(), col.data(), values.data(), rows, columns};
        const auto start = Clock::now();
        kernels.product_vector(A, x.data(), y.data(), 0, rows);
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
};

}  // namespace

template <typename Scalar, typename Index>
Loading faster_loading(InstructionSet set) {
    constexpr int rounds = 40;
    // Of two that are about as fast the gather: it has fewer instructions, which counts as soon as
    // another program shares the core.
    constexpr double about = 1.1;
    const auto& scalar = csr_kernels<Scalar, Index>(set, Loading::scalar);
    const auto& gather = csr_kernels<Scalar, Index>(set, Loading::gather);
    Sample<Scalar, Index> sample;
    // The best of each: whatever else the machine does only adds.
    double best_scalar = sample.seconds(scalar), best_gather = sample.seconds(gather);
    for (int round = 0; round < rounds; ++round) {
        best_scalar = std::min(best_scalar, sample.seconds(scalar));
        best_gather = std::min(best_gather, sample.seconds(gather));
    }
    return best_gather < about * best_scalar ? Loading::gather : Loading::scalar;
}

template Loading faster_loading<double, std::int32_t>(InstructionSet);
template Loading faster_loading<double, std::int64_t>(InstructionSet);
template Loading faster_loading<float, std::int32_t>(InstructionSet);
template Loading faster_loading<float, std::int64_t>(InstructionSet);

}  // namespace dtpinn
