// Small kernels that show what the shim does: right ones, whose results main prints, and wrong
// ones, which it has to report. Used by test_shim.py:
//
//     shim_kernels ascending|descending|random NAME...
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "shim/simulation.h"

#ifndef DYNAMIC_SHARED  // by CUDA's own compiler
#define DYNAMIC_SHARED(T, name) extern __shared__ T name[]
#endif

namespace {

constexpr unsigned kAll = 0xffffffffu;

template <typename... Parameters, typename... Arguments>
cudaError_t launch(dim3 grid, dim3 block, void (*kernel)(Parameters...), Arguments... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
}

template <typename T>
void print(const std::vector<T>& numbers) {
    for (const T number : numbers) std::printf("%.17g ", static_cast<double>(number));
    std::printf("\n");
}

// -- right ones -------------------------------------------------------------------------------

__global__ void coordinates(int* out) {
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    out[block * (blockDim.x * blockDim.y * blockDim.z) + thread] += 1 + static_cast<int>(thread);
}

template <typename T>
__global__ void shuffles(T* out, int width) {
    const unsigned lane = threadIdx.x;
    const T value = static_cast<T>(lane) + T(0.5);
    out[lane] = __shfl_sync(kAll, value, 5, width);
    out[32 + lane] = __shfl_up_sync(kAll, value, 3, width);
    out[64 + lane] = __shfl_down_sync(kAll, value, 3, width);
    out[96 + lane] = __shfl_xor_sync(kAll, value, 6, width);
}

template <typename T>
void print_shuffles(int width) {
    std::vector<T> out(128);
    launch(1, 32, shuffles<T>, out.data(), width);
    print(out);
}

__global__ void votes(unsigned* out) {
    const unsigned lane = threadIdx.x, half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    out[lane] = __ballot_sync(kAll, lane % 2);
    out[32 + lane] = __ballot_sync(half, lane % 2);
    out[64 + lane] = static_cast<unsigned>(__any_sync(half, lane == 3));
    out[96 + lane] = static_cast<unsigned>(__all_sync(half, lane >= 16));
}

// Adds up the numbers of the threads of a block, by halves in shared memory.
template <bool wait>
__global__ void sum(double* out) {
    __shared__ double parts[64];
    parts[threadIdx.x] = threadIdx.x;
    __syncthreads();
    for (unsigned half = 32; half > 0; half /= 2) {
        if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
        if (wait) __syncthreads();
    }
    if (threadIdx.x == 0) out[blockIdx.x] = parts[0];
}

enum class Between { nothing, warp, half_warp, shuffle };

// Reverses 32 numbers through shared memory.
template <Between between>
__global__ void reverse(int* out) {
    __shared__ int numbers[32];
    const int lane = static_cast<int>(threadIdx.x);
    numbers[lane] = lane;
    if (between == Between::warp) __syncwarp();
    if (between == Between::half_warp) __syncwarp(lane < 16 ? 0x0000ffffu : 0xffff0000u);
    if (between == Between::shuffle) __shfl_sync(kAll, lane, 0);
    out[lane] = numbers[31 - lane];
}

__global__ void neighbours_in_halves(int* out) {
    __shared__ int numbers[32];
    const unsigned lane = threadIdx.x;
    numbers[lane] = static_cast<int>(lane);
    __syncwarp(lane < 16 ? 0x0000ffffu : 0xffff0000u);
    out[lane] = numbers[lane ^ 1u];
}

__global__ void count_atomically(double* out) { atomicAdd(out, 1.0); }
__global__ void count(double* out) { *out += 1; }

__global__ void fused(float* out, float a, float b) { *out = fma(a, b, -1.0f); }

__global__ void only_some_work(int* out) {
    if (threadIdx.x >= 7) return;
    out[threadIdx.x] = 1;
}

__global__ void unwritten(double* out) {
    __shared__ double numbers[3];
    if (blockIdx.x == 1) out[0] = numbers[1];
    numbers[1] = 7;
    if (blockIdx.x == 0) out[1] = numbers[1];
}

// The threads' numbers the other way round; wrong without the barrier, or with too little memory.
template <bool waits>
__global__ void reverse_dynamically(double* out) {
    DYNAMIC_SHARED(double, numbers);
    out += blockIdx.x * (blockDim.x + 1);
    const bool garbage = numbers[1] != numbers[1];  // NaN
    __syncthreads();
    numbers[threadIdx.x] = garbage ? threadIdx.x : -1.0;
    if (waits) __syncthreads();
    out[threadIdx.x] = numbers[blockDim.x - 1 - threadIdx.x];
}

// -- wrong ones -------------------------------------------------------------------------------

__global__ void barriers_in_branches() {
    if (threadIdx.x < 40) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}

__global__ void barrier_after_return() {
    if (threadIdx.x == 40) return;
    __syncthreads();
}

__global__ void warp_after_return() {
    if (threadIdx.x == 9) return;
    __syncwarp();
}

__global__ void outside_of_mask() { __syncwarp(0x0000ffffu); }
__global__ void whole_warp() { __syncwarp(); }

__global__ void other_function(double value) {
    if (threadIdx.x < 16) {
        __shfl_xor_sync(kAll, value, 1);
    } else {
        __shfl_down_sync(kAll, value, 1);
    }
}

__global__ void other_mask() { __syncwarp(threadIdx.x < 16 ? kAll : 0xffffff00u); }

__global__ void other_width(double value) {
    __shfl_down_sync(kAll, value, 1, threadIdx.x < 16 ? 16 : 32);
}

__global__ void bad_width(double value) { __shfl_down_sync(kAll, value, 1, 12); }

__global__ void source_outside_of_mask(double value) {
    if (threadIdx.x < 16) __shfl_down_sync(0x0000ffffu, value, 8);
}

__global__ void waiting_for_each_other() {
    if (threadIdx.x == 0) {
        __syncthreads();
    } else {
        __syncwarp();
    }
}

__global__ void read_past_the_end(const double* in, double* out) { *out = in[threadIdx.x]; }

template <typename T>
__global__ void write_past_the_end(int place) {
    __shared__ T before[8], numbers[8], after[8];
    T* const any = numbers;
    before[0] = after[0] = 0;
    any[place] = before[0] + after[0];
}

__global__ void overflow(int* out, int number) { *out = number + static_cast<int>(threadIdx.x); }

template <typename T, typename... Parameters>
void run(dim3 grid, dim3 block, std::size_t size, void (*kernel)(T*, Parameters...),
         Parameters... parameters) {
    std::vector<T> out(size);
    launch(grid, block, kernel, out.data(), parameters...);
    print(out);
}

void two_launches() {
    double total = 0;
    launch(1, 1, count, &total);
    launch(1, 1, count, &total);
    print<double>({total});
}

void invalid_launches() {
    const auto before = cuda_on_cpu::simulation;
    cuda_on_cpu::simulation.grid_x = 4;
    std::vector<int> errors;
    for (const auto& [grid, block] : std::vector<std::pair<dim3, dim3>>{
             {0, 32}, {1, 0}, {1, 1025}, {5, 32}, {dim3(1, 65536), 1}, {1, dim3(1, 1, 65)}})
        errors.push_back(launch(grid, block, whole_warp));
    errors.push_back(cudaGetLastError());
    errors.push_back(cudaGetLastError());
    errors.push_back(launch(4, 32, whole_warp));
    cuda_on_cpu::simulation = before;
    print(errors);
}

void dynamic_shared_memory(void (*kernel)(double*), std::size_t bytes) {
    cudaLaunchConfig_t config{};
    config.gridDim = 2;
    config.blockDim = 40;
    config.dynamicSmemBytes = bytes;
    std::vector<double> out(2 * 41);
    out[40] = out[81] = cudaLaunchKernelEx(&config, kernel, out.data()) == cudaSuccess;
    print(out);
}

const std::map<std::string, std::function<void()>> kScenarios{
    {"coordinates", [] { run(dim3(2, 1, 2), dim3(3, 2, 2), 48, coordinates); }},
    {"shuffles of double, 4", [] { print_shuffles<double>(4); }},
    {"shuffles of double, 8", [] { print_shuffles<double>(8); }},
    {"shuffles of double, 16", [] { print_shuffles<double>(16); }},
    {"shuffles of double, 32", [] { print_shuffles<double>(32); }},
    {"shuffles of float, 8", [] { print_shuffles<float>(8); }},
    {"votes", [] { run(1, 32, 128, votes); }},
    {"sum", [] { run(3, 64, 3, sum<true>); }},
    {"sum without barrier", [] { run(1, 64, 1, sum<false>); }},
    {"reverse", [] { run(2, 32, 32, reverse<Between::warp>); }},
    {"reverse without barrier", [] { run(1, 32, 32, reverse<Between::nothing>); }},
    {"reverse with half a barrier", [] { run(1, 32, 32, reverse<Between::half_warp>); }},
    {"reverse with a shuffle", [] { run(1, 32, 32, reverse<Between::shuffle>); }},
    {"neighbours in halves", [] { run(1, 32, 32, neighbours_in_halves); }},
    {"atomic count", [] { run(3, 40, 1, count_atomically); }},
    {"count among threads", [] { run(1, 2, 1, count); }},
    {"count among blocks", [] { run(2, 1, 1, count); }},
    {"count in two launches", two_launches},
    {"fused", [] { run(1, 1, 1, fused, 1 + 0x1p-12f, 1 - 0x1p-12f); }},
    {"only some work", [] { run(1, 64, 8, only_some_work); }},
    {"unwritten shared memory", [] { run(2, 1, 2, unwritten); }},
    {"invalid launches", invalid_launches},
    {"dynamic memory", [] { dynamic_shared_memory(reverse_dynamically<true>, 320); }},
    {"dynamic memory, too much", [] { dynamic_shared_memory(reverse_dynamically<true>, 49153); }},
    {"dynamic memory, too little", [] { dynamic_shared_memory(reverse_dynamically<true>, 312); }},
    {"dynamic memory without barrier",
     [] { dynamic_shared_memory(reverse_dynamically<false>, 320); }},
    {"too many threads", [] { launch(5, 1024, whole_warp); }},
    {"barriers in branches", [] { launch(1, 64, barriers_in_branches); }},
    {"barrier after return", [] { launch(1, 64, barrier_after_return); }},
    {"warp after return", [] { launch(1, 32, warp_after_return); }},
    {"lane outside of its mask", [] { launch(1, 32, outside_of_mask); }},
    {"warp of 16", [] { launch(1, 16, whole_warp); }},
    {"other function", [] { launch(1, 32, other_function, 1.0); }},
    {"other mask", [] { launch(1, 32, other_mask); }},
    {"other width", [] { launch(1, 32, other_width, 1.0); }},
    {"bad width", [] { launch(1, 32, bad_width, 1.0); }},
    {"source outside of the mask", [] { launch(1, 32, source_outside_of_mask, 1.0); }},
    {"waiting for each other", [] { launch(1, 32, waiting_for_each_other); }},
    {"read past the end",
     [] {
         const std::vector<double> in(31);
         double out;
         launch(1, 32, read_past_the_end, in.data(), &out);
     }},
    {"write past the end of doubles", [] { launch(1, 1, write_past_the_end<double>, 8); }},
    {"write past the end of floats", [] { launch(1, 1, write_past_the_end<float>, 8); }},
    {"write before the start", [] { launch(1, 1, write_past_the_end<float>, -1); }},
    {"overflow", [] { run(1, 2, 1, overflow, 2147483647); }},
};

}  // namespace

int main(int count, char** arguments) {
    const std::map<std::string, cuda_on_cpu::Order> orders{
        {"ascending", cuda_on_cpu::Order::ascending},
        {"descending", cuda_on_cpu::Order::descending},
        {"random", cuda_on_cpu::Order::random}};
    cuda_on_cpu::simulation.order = orders.at(arguments[1]);
    for (int i = 2; i < count; ++i) kScenarios.at(arguments[i])();
}
