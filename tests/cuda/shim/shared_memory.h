#pragma once

namespace cuda_on_cpu {

// Makes all __shared__ arrays of the program anew: full of garbage, and for ThreadSanitizer memory
// that nobody has touched, since a block shares nothing with those before it.
void fresh_shared_memory();

}  // namespace cuda_on_cpu
