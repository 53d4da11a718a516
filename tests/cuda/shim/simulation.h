// What a test chooses, and what it may ask afterwards.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace cuda_on_cpu {

// Of all threads that can go on, the first one does, the last one, or any.
enum class Order { ascending, descending, random };

struct Simulation {
    int multiprocessors = 1;
    int threads_per_multiprocessor = 1024;
    int grid_x = 2147483647;  // the largest grid
    int grid_y = 65535;
    Order order = Order::ascending;
    std::uint64_t seed = 0;
    // Blocks before this one do not run: those of a grid that is too large to run them all.
    std::int64_t first_block = 0;
    // The number, from 1 on, of the call of CUDA that fails with cudaErrorUnknown; 0: none does.
    int failing_call = 0;
};

// What the program under test has asked of CUDA.
struct Observed {
    int calls = 0;
    int launches = 0;  // that ran
    cudaLaunchConfig_t last_launch{};
};

extern Simulation simulation;
extern Observed observed;

}  // namespace cuda_on_cpu
