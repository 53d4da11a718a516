// What threads of a block, or lanes of a warp, do together: barriers, shuffles and votes.
#pragma once

#include <cstdint>
#include <cstring>

#include "site.h"

namespace cuda_on_cpu {

constexpr int kLanes = 32;

enum class Kind { sync, shuffle, shuffle_up, shuffle_down, shuffle_xor, ballot, any, all };

// A collective of a warp as one lane calls it.
struct Call {
    Kind kind;
    unsigned mask;        // lanes that take part
    std::uint64_t value;  // this lane's contribution, ...
    int bytes;            // ... its size, ...
    int argument;         // ... and for a shuffle which lane is asked: a number, distance or mask,
    int width;            // within sub-warps of this many lanes
    Site site;
};

// Waits for all lanes of the mask; what this lane gets.
std::uint64_t collective(const Call& call);
// Waits for all threads of the block.
void barrier(const Site& site);

template <typename T>
T shuffle(Kind kind, unsigned mask, T value, int argument, int width, const Site& site) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "CUDA shuffles 4 or 8 bytes");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = collective({kind, mask, bits, sizeof(T), argument, width, site});
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

inline unsigned vote(Kind kind, unsigned mask, int predicate, const Site& site) {
    return static_cast<unsigned>(collective({kind, mask, predicate != 0, 0, 0, kLanes, site}));
}

}  // namespace cuda_on_cpu

inline void __syncthreads(cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    cuda_on_cpu::barrier(site);
}

inline void __syncwarp(unsigned mask = 0xffffffffu,
                       cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    cuda_on_cpu::collective({cuda_on_cpu::Kind::sync, mask, 0, 0, 0, cuda_on_cpu::kLanes, site});
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, int width = cuda_on_cpu::kLanes,
              cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::Kind::shuffle, mask, value, lane, width, site);
}

template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = cuda_on_cpu::kLanes,
                 cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::Kind::shuffle_up, mask, value,
                                static_cast<int>(distance), width, site);
}

template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = cuda_on_cpu::kLanes,
                   cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::Kind::shuffle_down, mask, value,
                                static_cast<int>(distance), width, site);
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = cuda_on_cpu::kLanes,
                  cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::Kind::shuffle_xor, mask, value, lanes, width, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return cuda_on_cpu::vote(cuda_on_cpu::Kind::ballot, mask, predicate, site);
}

inline int __any_sync(unsigned mask, int predicate,
                      cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return static_cast<int>(cuda_on_cpu::vote(cuda_on_cpu::Kind::any, mask, predicate, site));
}

inline int __all_sync(unsigned mask, int predicate,
                      cuda_on_cpu::Site site = cuda_on_cpu::Site::here()) {
    return static_cast<int>(cuda_on_cpu::vote(cuda_on_cpu::Kind::all, mask, predicate, site));
}
