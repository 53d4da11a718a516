// What to do when a kernel does what no correct one does.
#pragma once

#include <string>

#include "site.h"

namespace cuda_on_cpu {

std::string text(const Site& site);

// Says on stderr what is wrong, and ends the process with kMisuse: what a GPU would do from here on
// is undefined.
constexpr int kMisuse = 70;
[[noreturn]] void misuse(const std::string& what);

}  // namespace cuda_on_cpu
