// A place in the source of a kernel, taken where a function with a Site for its last parameter is
// called; and what to do when something is wrong there.
#pragma once

#include <cstring>
#include <string>

namespace cuda_on_cpu {

struct Site {
    const char* file;
    int line;
    const char* function;

    static Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE(),
                     const char* function = __builtin_FUNCTION()) {
        return {file, line, function};
    }
    bool operator!=(const Site& other) const {
        return line != other.line || std::strcmp(file, other.file) != 0;
    }
};

std::string text(const Site& site);

// Says on stderr what no correct kernel does, and ends the process with kMisuse: what a GPU would
// do from here on is undefined.
constexpr int kMisuse = 70;
[[noreturn]] void misuse(const std::string& what);

}  // namespace cuda_on_cpu
