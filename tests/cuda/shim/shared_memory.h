#pragma once

#include <cstddef>

namespace cuda_on_cpu {

// Makes all __shared__ arrays of the program anew: full of garbage, and for ThreadSanitizer memory
// that nobody has touched, since a block shares nothing with those before it.
void fresh_shared_memory();

// The same for the dynamic shared memory of one block; to be deleted after the launch, not before,
// or the next block would get what this one has touched.
char* fresh_dynamic_shared_memory(std::size_t size);

}  // namespace cuda_on_cpu
