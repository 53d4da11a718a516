// What a test asks of the simulated CUDA beneath csrc/cuda/binding.cpp (bound.py), in one library
// with it: a bug to be seeded, a call of CUDA that fails, and what the last operator asked for.
#include <c10/cuda/CUDAStream.h>

#include "shim/simulation.h"

int seeded = 0;  // number of a bug (bound.py); 0: none

extern "C" {

void seed_bug(int number) { seeded = number; }

// Starts to observe; call number `failing_call` will fail, none where it is 0.
void observe(int failing_call) {
    cuda_on_cpu::simulation.failing_call = failing_call;
    cuda_on_cpu::observed = {};
}

// Launches since then, whether the last was on the stream of the tensors' device, blocks of it.
void tell(int* launches, int* on_stream, int* blocks) {
    const cuda_on_cpu::Observed& seen = cuda_on_cpu::observed;
    *launches = seen.launches;
    *on_stream = seen.last_launch.stream == c10::cuda::expected_stream();
    *blocks = static_cast<int>(seen.last_launch.gridDim.x);
}
}
