// Every CPU kernel on adjacent row ranges in threads that write one output: no two of them may
// touch the same memory, and no bit may depend on where the ranges meet, nor on how x is loaded.
// Built by test_races.py
// under ThreadSanitizer, without torch and OpenMP, which are not instrumented and would hide what
// happens or report what does not.
//
//     race_driver                   runs everything; prints the number of runs
//     race_driver sets              names the instruction sets of this processor
//     race_driver KERNEL SET        with ranges that share a row: a race, to be reported
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../csrc/cpu/kernels.h"

namespace dtpinn {
#define DTPINN_DECLARE(set)                            \
    namespace set {                                    \
    template <typename Scalar, typename Index>         \
    const CsrKernels<Scalar, Index>& kernels(Loading); \
    }
DTPINN_DECLARE(baseline)
DTPINN_DECLARE(avx2)
DTPINN_DECLARE(avx512)
}  // namespace dtpinn

namespace {

using dtpinn::CsrKernels;
using dtpinn::CsrView;
using dtpinn::InstructionSet;
using dtpinn::Loading;

constexpr InstructionSet kSets[] = {InstructionSet::baseline, InstructionSet::avx2,
                                    InstructionSet::avx512};
const char* const kSetNames[] = {"baseline", "avx2", "avx512"};
const char* const kKernelNames[] = {"product_vector", "product_columns", "sampled"};

bool has(InstructionSet set) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (set == InstructionSet::avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
#endif
    return set == InstructionSet::baseline;
}

template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& table(InstructionSet set, Loading loading) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx512) return dtpinn::avx512::kernels<Scalar, Index>(loading);
    if (set == InstructionSet::avx2) return dtpinn::avx2::kernels<Scalar, Index>(loading);
#endif
    return dtpinn::baseline::kernels<Scalar, Index>(loading);
}

// 200 rows: three groups of the vector kernel and a part of one.
template <typename Scalar, typename Index>
struct Matrix {
    static constexpr std::int64_t rows = 200, columns = 90;
    std::vector<Index> crow{0}, col;
    std::vector<Scalar> values;

    explicit Matrix(bool equal) {
        std::mt19937 random(1);
        for (std::int64_t i = 0; i < rows; ++i) {
            const int length = equal ? 31 : static_cast<int>(random() % 41);
            for (int e = 0; e < length; ++e) {
                col.push_back(static_cast<Index>(random() % columns));
                values.push_back(static_cast<Scalar>(random()) / 1e9f - 2);
            }
            crow.push_back(static_cast<Index>(col.size()));
        }
    }
    CsrView<Scalar, Index> view() const {
        return {crow.data(), col.data(), values.data(), rows, columns};
    }
};

template <typename Scalar, typename Index>
struct Run {
    const CsrKernels<Scalar, Index>& kernels;
    CsrView<Scalar, Index> A;
    std::string kernel;
    std::int64_t k;
    std::vector<Scalar> x, y, out;

    Run(const Matrix<Scalar, Index>& matrix, InstructionSet set, Loading loading, std::string name,
        std::int64_t k)
        : kernels(table<Scalar, Index>(set, loading)),
          A(matrix.view()),
          kernel(std::move(name)),
          k(k) {
        for (std::int64_t i = 0; i < A.columns * k; ++i) x.push_back(std::sin(Scalar(i)));
        for (std::int64_t i = 0; i < A.rows * k; ++i) y.push_back(std::cos(Scalar(i)));
        out.assign(kernel == "sampled" ? matrix.col.size() : y.size(),
                   std::numeric_limits<Scalar>::quiet_NaN());
    }
    void rows(std::int64_t begin, std::int64_t end) {
        if (kernel == "product_vector") {
            kernels.product_vector(A, x.data(), out.data(), begin, end);
        } else if (kernel == "product_columns") {
            kernels.product_columns(A, x.data(), out.data(), k, begin, end);
        } else {
            kernels.sampled(A, y.data(), x.data(), out.data(), k, begin, end);
        }
    }
    // Threads on [0, b1), [b1, b2), ...; `shared` rows past each border belong to both.
    void split(int pieces, std::int64_t shared) {
        std::vector<std::thread> threads;
        for (int piece = 0; piece < pieces; ++piece) {
            const std::int64_t begin = A.rows * piece / pieces, end = A.rows * (piece + 1) / pieces;
            threads.emplace_back([=] { rows(begin, end < A.rows ? end + shared : end); });
        }
        for (auto& thread : threads) thread.join();
    }
};

// How many runs, or -1 where the bits differ from those of one range with scalar loads.
template <typename Scalar, typename Index>
int run_all(InstructionSet set, Loading loading) {
    int runs = 0;
    for (const bool equal : {true, false}) {
        const Matrix<Scalar, Index> matrix(equal);
        for (const char* kernel : kKernelNames) {
            for (const std::int64_t k : {1, 2, 25, 70}) {
                if ((std::strcmp(kernel, "product_vector") == 0) != (k == 1) &&
                    std::strcmp(kernel, "sampled") != 0)
                    continue;
                Run<Scalar, Index> whole(matrix, set, Loading::scalar, kernel, k);
                whole.rows(0, whole.A.rows);
                for (const int pieces : {2, 5}) {
                    Run<Scalar, Index> parts(matrix, set, loading, kernel, k);
                    parts.split(pieces, 0);
                    if (std::memcmp(parts.out.data(), whole.out.data(),
                                    whole.out.size() * sizeof(Scalar)) != 0) {
                        std::printf("%s, k = %ld, %d pieces: other bits\n", kernel,
                                    static_cast<long>(k), pieces);
                        return -1;
                    }
                    ++runs;
                }
            }
        }
    }
    return runs;
}

}  // namespace

int main(int count, char** arguments) {
    int runs = 0;
    for (std::size_t s = 0; s < 3; ++s) {
        const InstructionSet set = kSets[s];
        if (!has(set)) continue;
        if (count == 2) {
            std::printf("%s:\n", kSetNames[s]);
            continue;
        }
        if (count == 3) {
            if (arguments[2] != std::string(kSetNames[s])) continue;
            const Matrix<double, std::int32_t> matrix(true);
            const std::string kernel = arguments[1];
            Run<double, std::int32_t>(matrix, set, Loading::scalar, kernel,
                                      kernel == "product_vector" ? 1 : 25)
                .split(2, 1);
            return 0;
        }
        for (const Loading loading : {Loading::scalar, Loading::gather}) {
            if (loading == Loading::gather && set == InstructionSet::baseline) continue;
            for (const int made : {run_all<double, std::int32_t>(set, loading),
                                   run_all<double, std::int64_t>(set, loading),
                                   run_all<float, std::int32_t>(set, loading),
                                   run_all<float, std::int64_t>(set, loading)}) {
                if (made < 0) return 1;
                runs += made;
            }
        }
        std::printf("%s: %d runs in all\n", kSetNames[s], runs);
    }
    return 0;
}
