// The device, and a launch on it: its blocks one after the other.
#include "grid.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "block.h"
#include "report.h"
#include "shared_memory.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_on_cpu {

Simulation simulation;
Observed observed;

namespace {

constexpr unsigned kThreadsPerBlock = 1024;  // of every GPU
constexpr unsigned kBlockZ = 64, kGridZ = 65535;
constexpr std::size_t kSharedMemory = 48 * 1024;  // bytes, unless a kernel asks for more
// Every thread keeps its fiber to the end of the launch, since ThreadSanitizer has to know which
// block did what; and it knows at most 8128 of them.
constexpr std::size_t kThreadsPerLaunch = 4096;

cudaError_t last_error = cudaSuccess;
const Launch* launch;
Block* block;
std::vector<std::unique_ptr<char[]>> dynamic;  // of all blocks of the launch, the present one last

// Counts a call of CUDA; true if it is the one that has to fail.
bool fails() { return ++observed.calls == simulation.failing_call; }

std::size_t product(const dim3& size) { return std::size_t{size.x} * size.y * size.z; }

bool valid(const cudaLaunchConfig_t& config) {
    const dim3 grid = config.gridDim, threads = config.blockDim;
    return product(grid) > 0 && product(threads) > 0 && product(threads) <= kThreadsPerBlock &&
           config.dynamicSmemBytes <= kSharedMemory && threads.z <= kBlockZ &&
           grid.x <= static_cast<unsigned>(simulation.grid_x) &&
           grid.y <= static_cast<unsigned>(simulation.grid_y) && grid.z <= kGridZ;
}

std::string text(const uint3& index) {
    return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
           std::to_string(index.z) + ")";
}

void run_blocks(const std::function<void()>& kernel) {
    Schedule schedule;
    const auto blocks = static_cast<std::int64_t>(product(gridDim));
    std::vector<int> waiting;
    for (std::int64_t i = simulation.first_block; i < blocks; ++i)
        waiting.push_back(static_cast<int>(i));
    std::vector<std::unique_ptr<Block>> done;
    std::vector<Fiber*> fibers;
    while (!waiting.empty()) {
        const int number = schedule.pick(waiting);
        waiting.erase(std::lower_bound(waiting.begin(), waiting.end(), number));
        fresh_shared_memory();
        dynamic.emplace_back(fresh_dynamic_shared_memory(launch->config->dynamicSmemBytes));
        blockIdx = coordinates(number, gridDim);
        done.push_back(std::make_unique<Block>(static_cast<int>(product(blockDim)), kernel));
        block = done.back().get();
        block->run(schedule);
        for (Fiber* fiber : block->fibers()) fibers.push_back(fiber);
    }
    Fiber::join(fibers);  // the next launch comes after this one
    dynamic.clear();
}

}  // namespace

cudaError_t run_grid(const Launch& requested, void (*kernel)(const void*), const void* context) {
    const cudaLaunchConfig_t& config = *requested.config;
    if (fails()) return last_error = cudaErrorUnknown;
    if (!valid(config)) return last_error = cudaErrorInvalidConfiguration;
    launch = &requested;
    block = nullptr;
    if (config.numAttrs != 0) misuse("launch attributes are not simulated");
    gridDim = config.gridDim;
    blockDim = config.blockDim;
    ++observed.launches;
    observed.last_launch = config;
    const auto skipped = static_cast<std::size_t>(simulation.first_block);
    if ((product(gridDim) - skipped) * product(blockDim) > kThreadsPerLaunch)
        misuse("more than " + std::to_string(kThreadsPerLaunch) +
               " threads: give the simulated device a smaller grid");
    run_blocks([=] { kernel(context); });
    return cudaSuccess;
}

void* dynamic_shared_memory() { return dynamic.back().get(); }
void barrier(const Site& site) { block->barrier(site); }
std::uint64_t collective(const Call& call) { return block->collective(call); }

std::string text(const Site& site) {
    return std::string(site.file) + ":" + std::to_string(site.line) + " (" + site.function + ")";
}

void misuse(const std::string& what) {
    std::fprintf(stderr, "simulated GPU: %s\n    in a kernel launched at %s", what.c_str(),
                 text(launch->site).c_str());
    if (block) std::fprintf(stderr, ", block %s", text(blockIdx).c_str());
    std::fputc('\n', stderr);
    _exit(kMisuse);  // from the stack of a fiber, and with threads that never return
}

}  // namespace cuda_on_cpu

cudaError_t cudaGetDevice(int* device) {
    if (cuda_on_cpu::fails()) return cuda_on_cpu::last_error = cudaErrorUnknown;
    *device = 0;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    using cuda_on_cpu::last_error;
    using cuda_on_cpu::simulation;
    if (cuda_on_cpu::fails()) return last_error = cudaErrorUnknown;
    if (device != 0) return last_error = cudaErrorInvalidDevice;
    switch (attribute) {
        case cudaDevAttrMultiProcessorCount:
            *value = simulation.multiprocessors;
            return cudaSuccess;
        case cudaDevAttrMaxThreadsPerMultiProcessor:
            *value = simulation.threads_per_multiprocessor;
            return cudaSuccess;
        case cudaDevAttrMaxGridDimX:
            *value = simulation.grid_x;
            return cudaSuccess;
        case cudaDevAttrMaxGridDimY:
            *value = simulation.grid_y;
            return cudaSuccess;
    }
    return last_error = cudaErrorInvalidValue;
}

cudaError_t cudaGetLastError() {
    const cudaError_t error = cuda_on_cpu::last_error;
    cuda_on_cpu::last_error = cudaSuccess;
    return error;
}
