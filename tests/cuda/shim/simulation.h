// What a test chooses: the device and the order in which its threads run.
#pragma once

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
};

extern Simulation simulation;

}  // namespace cuda_on_cpu
