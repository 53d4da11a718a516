// Where a thread is, and how a grid of them is started.
#pragma once

#include "cuda_runtime_api.h"
#include "site.h"

// Of the thread that runs. They change with every switch to another, unseen by ThreadSanitizer
// since this folder is compiled without it.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace cuda_on_cpu {

// A launch configuration together with the place of the launch.
struct Launch {
    const cudaLaunchConfig_t* config;
    Site site;
    Launch(const cudaLaunchConfig_t* config, Site site = Site::here())
        : config(config), site(site) {}
};

// The block's dynamic shared memory, as long as its launch asked for, and full of garbage.
void* dynamic_shared_memory();

// Calls kernel(context) once for every thread of the grid, and returns when all have returned. No
// std::function: what this header includes, every small program of the tests compiles.
cudaError_t run_grid(const Launch& launch, void (*kernel)(const void*), const void* context);

}  // namespace cuda_on_cpu
