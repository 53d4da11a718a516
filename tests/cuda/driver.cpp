// Runs launchers of csrc/cuda on the simulated GPU: cases come in on stdin, results go out on
// stdout, both binary, until stdin ends. simulator.py is the other side; it writes a Case, then the
// arrays in the order in which they are read here, and reads a Reply and the output.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>

#include "../../csrc/cuda/launch.h"
#include "shim/simulation.h"

namespace {

struct Case {
    std::int64_t sampled, scalar_bytes, index_bytes;
    std::int64_t rows, columns, nnz, k;
    std::int64_t has_perm;
    std::int64_t first_row, first_entry, first_column;  // numbers that they start from
    std::int64_t multiprocessors, threads_per_multiprocessor, grid_x, grid_y;
    std::int64_t order, seed, first_block, failing_call;
};

struct Reply {
    std::int64_t error;  // cudaError_t
    std::int64_t calls, launches, on_given_stream;
    std::int64_t grid_x, grid_y, threads;
};

// No launcher looks at it.
cudaStream_t stream() {
    static int somewhere;
    return reinterpret_cast<cudaStream_t>(&somewhere);
}

void read(void* place, std::size_t bytes) {
    if (std::fread(place, 1, bytes, stdin) != bytes) std::exit(2);
}

// Memory of exactly this size, that AddressSanitizer watches the ends of.
template <typename T>
class Array {
  public:
    explicit Array(std::int64_t size) : memory_(std::malloc(bytes(size)), &std::free) {}
    static Array from_stdin(std::int64_t size) {
        Array array(size);
        read(array.memory_.get(), bytes(size));
        return array;
    }
    // Where the array would begin if it were numbered from `first`: entries past 2^31 without the
    // memory for those before them.
    T* numbered_from(std::int64_t first) const {
        return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(memory_.get()) - bytes(first));
    }
    T* data() const { return numbered_from(0); }

  private:
    static std::size_t bytes(std::int64_t size) {
        return static_cast<std::size_t>(size) * sizeof(T);
    }
    std::unique_ptr<void, void (*)(void*)> memory_;
};

template <typename Scalar, typename Index>
void run(const Case& c) {
    const auto crow = Array<Index>::from_stdin(c.rows + 1);
    const auto col = Array<Index>::from_stdin(c.nnz);
    const auto values = Array<Scalar>::from_stdin(c.sampled ? 0 : c.nnz);
    const auto perm = Array<Index>::from_stdin(c.has_perm ? c.nnz : 0);
    const auto y = Array<Scalar>::from_stdin(c.sampled ? c.rows * c.k : 0);
    const auto x = Array<Scalar>::from_stdin(c.columns * c.k);
    const std::int64_t size = c.sampled ? c.nnz : c.rows * c.k;
    const Array<Scalar> out(size);
    for (std::int64_t i = 0; i < size; ++i)
        out.data()[i] = std::numeric_limits<Scalar>::quiet_NaN();  // what is not written shows

    const dtpinn::CsrView<Scalar, Index> A{
        crow.numbered_from(c.first_row), col.numbered_from(c.first_entry),
        c.sampled ? nullptr : values.numbered_from(c.first_entry), c.first_row + c.rows,
        c.first_column + c.columns};
    const Scalar* const right = x.numbered_from(c.first_column * c.k);
    const std::int64_t before = c.first_row * c.k;
    const std::int64_t error =
        c.sampled
            ? dtpinn::launch_csr_sampled(A, y.numbered_from(before), right,
                                         out.numbered_from(c.first_entry), c.k, c.nnz, stream())
            : dtpinn::launch_csr_product(A,
                                         c.has_perm ? perm.numbered_from(c.first_entry) : nullptr,
                                         right, out.numbered_from(before), c.k, c.nnz, stream());
    const cudaLaunchConfig_t& last = cuda_on_cpu::observed.last_launch;
    const Reply reply{error,
                      cuda_on_cpu::observed.calls,
                      cuda_on_cpu::observed.launches,
                      last.stream == stream(),
                      last.gridDim.x,
                      last.gridDim.y,
                      last.blockDim.x};
    std::fwrite(&reply, sizeof reply, 1, stdout);
    std::fwrite(out.data(), sizeof(Scalar), static_cast<std::size_t>(size), stdout);
    std::fflush(stdout);
}

void simulate(const Case& c) {
    cuda_on_cpu::simulation = {static_cast<int>(c.multiprocessors),
                               static_cast<int>(c.threads_per_multiprocessor),
                               static_cast<int>(c.grid_x),
                               static_cast<int>(c.grid_y),
                               static_cast<cuda_on_cpu::Order>(c.order),
                               static_cast<std::uint64_t>(c.seed),
                               c.first_block,
                               static_cast<int>(c.failing_call)};
    cuda_on_cpu::observed = {};
#ifdef DOUBLE_AND_INT32_ONLY  // for copies of the kernels without the other types
    if (c.scalar_bytes != 8 || c.index_bytes != 4) std::exit(2);
    run<double, std::int32_t>(c);
#else
    if (c.scalar_bytes == 8) {
        c.index_bytes == 8 ? run<double, std::int64_t>(c) : run<double, std::int32_t>(c);
    } else {
        c.index_bytes == 8 ? run<float, std::int64_t>(c) : run<float, std::int32_t>(c);
    }
#endif
}

}  // namespace

int main() {
    for (Case c; std::fread(&c, sizeof c, 1, stdin) == 1;) simulate(c);
}
