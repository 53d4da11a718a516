// Y = W X for the points of one strip: the matrix product that nearly all of the time goes into.
//
// A strip is Unit points side by side, two registers; X holds them feature after feature,
// (in, Unit), so that a register belongs to one feature and nothing has to be padded but the last
// strip. A block of outputs stays in registers while all features go by.
#pragma once

#include "../cpu/lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

constexpr int kRegisters = 2;
template <typename Scalar>
constexpr std::int64_t kUnit = kRegisters * Lanes<Scalar, DTPINN_LANE_BYTES>::count;

// One number in every lane; unlike a sum with zeros it keeps the sign of a zero, and costs nothing.
template <int bytes, typename Scalar>
static inline typename Lanes<Scalar, bytes>::type spread(Scalar value) {
    return value - typename Lanes<Scalar, bytes>::type{};
}

// Outputs of one block: with both registers of each, those of X and a weight, all that there are.
#if DTPINN_LANE_BYTES == 64
constexpr std::int64_t kBlock = 12;
#else
constexpr std::int64_t kBlock = 6;
#endif

// Calls body(first, size) for blocks of about equal sizes, kBlock at most.
template <typename Body>
static inline void for_blocks(std::int64_t outputs, const Body& body) {
    const std::int64_t blocks = (outputs + kBlock - 1) / kBlock;
    std::int64_t first = 0;
    for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t size = outputs / blocks + (b < outputs % blocks);
        body(first, size);
        first += size;
    }
}

// W, of which entry (j, k) lies at weight[j * to_output + k * to_input], block by block:
// (in, size) each.
template <typename Scalar>
static void pack_weight(const Scalar* weight, std::int64_t outputs, std::int64_t inputs,
                        std::int64_t to_output, std::int64_t to_input, Scalar* packed) {
    for_blocks(outputs, [&](std::int64_t first, std::int64_t size) {
        for (std::int64_t k = 0; k < inputs; ++k)
            for (std::int64_t j = 0; j < size; ++j)
                *packed++ = weight[(first + j) * to_output + k * to_input];
    });
}

template <int size, typename Scalar>
static void multiply_block(const Scalar* weight, const Scalar* bias, const Scalar* x,
                           std::int64_t inputs, Scalar* y) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    using Vector = typename Lanes<Scalar, bytes>::type;
    Vector sum[size][kRegisters];
#pragma GCC unroll 12
    for (int j = 0; j < size; ++j)
#pragma GCC unroll 2
        for (int v = 0; v < kRegisters; ++v) sum[j][v] = bias ? spread<bytes>(bias[j]) : Vector{};
    for (std::int64_t k = 0; k < inputs; ++k, weight += size, x += kUnit<Scalar>) {
        const Vector low = load<bytes>(x), high = load<bytes>(x + lanes);
#pragma GCC unroll 12
        for (int j = 0; j < size; ++j) {
            const Vector w = spread<bytes>(weight[j]);
            sum[j][0] += w * low;
            sum[j][1] += w * high;
        }
    }
#pragma GCC unroll 12
    for (int j = 0; j < size; ++j)
#pragma GCC unroll 2
        for (int v = 0; v < kRegisters; ++v) store(y + j * kUnit<Scalar> + v * lanes, sum[j][v]);
}

template <typename Scalar, int size = kBlock>
static inline void multiply_block_of(std::int64_t wanted, const Scalar* weight, const Scalar* bias,
                                     const Scalar* x, std::int64_t inputs, Scalar* y) {
    if constexpr (size > 0) {
        if (wanted == size)
            multiply_block<size>(weight, bias, x, inputs, y);
        else
            multiply_block_of<Scalar, size - 1>(wanted, weight, bias, x, inputs, y);
    }
}

// For `strips` strips of `passes` passes each, (strips, passes, in, Unit) -> (..., out, Unit); the
// bias, where there is one, is added to the first pass of each.
template <typename Scalar>
static void multiply(const Scalar* packed, const Scalar* bias, const Scalar* x, std::int64_t inputs,
                     Scalar* y, std::int64_t outputs, std::int64_t strips, std::int64_t passes) {
    for_blocks(outputs, [&](std::int64_t first, std::int64_t size) {
        for (std::int64_t s = 0; s < strips * passes; ++s)
            multiply_block_of<Scalar>(
                size, packed + first * inputs, bias && s % passes == 0 ? bias + first : nullptr,
                x + s * inputs * kUnit<Scalar>, inputs, y + (s * outputs + first) * kUnit<Scalar>);
    });
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
