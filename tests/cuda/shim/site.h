// A place in the source of a kernel: where a function with a Site for its last parameter is called.
#pragma once

#include <cstring>

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

}  // namespace cuda_on_cpu
