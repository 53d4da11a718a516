// The kernels of the fused network on tensors: allocates, and shares the points among threads.
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>

#include "../cpu/dispatch.h"
#include "kernels.h"
#include "network.h"

namespace dtpinn {

namespace baseline {
template <typename Scalar>
const NetworkKernels<Scalar>& network_table();
}
namespace avx2 {
template <typename Scalar>
const NetworkKernels<Scalar>& network_table();
}
namespace avx512 {
template <typename Scalar>
const NetworkKernels<Scalar>& network_table();
}

template <typename Scalar>
const NetworkKernels<Scalar>& network_kernels(InstructionSet set) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx512) return avx512::network_table<Scalar>();
    if (set == InstructionSet::avx2) return avx2::network_table<Scalar>();
#endif
    return baseline::network_table<Scalar>();
}

namespace {

// Multiplications that keep a thread busy for about as long as it takes to wake it (2 us).
constexpr std::int64_t kWorkPerThread = 20000;
// Gradients are summed over groups of strips, as many as there may be threads. Each takes the
// memory of all parameters, and time for the sums over a register and over the groups: little
// beside the products of a tile. For fewer threads, of which a small network has use, half a tile
// does.
constexpr std::int64_t kGroups = 64, kFewGroups = 8;
constexpr std::int64_t kNumbersOfGroups = 1 << 23;

// A call as the kernels take it, and the tensors that it points into.
template <typename Scalar>
struct Prepared {
    std::vector<at::Tensor> held;
    std::vector<const Scalar*> parameters;
    std::vector<std::int64_t> widths;
    Network<Scalar> net{};
    NetworkArrays<Scalar> arrays{};
    const NetworkKernels<Scalar>& kernels = network_kernels<Scalar>(instruction_set());

    explicit Prepared(const NetworkCall& call) {
        const auto read = [&](const at::Tensor& t) -> const Scalar* {
            if (!t.defined()) return nullptr;
            held.push_back(t.contiguous());
            return held.back().template const_data_ptr<Scalar>();
        };
        arrays.rows = call.x.size(0);
        arrays.x = read(call.x);
        arrays.directions = read(call.directions);
        widths.push_back(call.x.size(1));
        for (const auto& parameter : call.parameters) {
            parameters.push_back(read(parameter));
            if (parameter.dim() == 1) widths.push_back(parameter.size(0));
        }
        net.maps = call.maps();
        net.widths = widths.data();
        net.parameters = parameters.data();
        net.passes = call.has_tangents() ? 1 + call.directions.size(0) : 1;
        if (!call.normalisation.empty()) {
            net.middle = read(call.normalisation[0]);
            net.factor = read(call.normalisation[1]);
            net.centre = read(call.normalisation[2]);
            net.unit = read(call.normalisation[3]);
        }
    }
    Prepared(const Prepared&) = delete;

    std::int64_t size() const { return net.parameters_before(net.maps); }
    std::int64_t strips() const { return kernels.strips(arrays.rows); }

    at::Tensor pack(const at::TensorOptions& options) const {
        auto packed = at::empty({kernels.packed_size(net)}, options);
        kernels.pack(net, packed.template mutable_data_ptr<Scalar>());
        return packed;
    }

    // Calls body(workspace, begin, end) on pieces of [0, count), each of `strips` strips.
    template <typename Body>
    void share(std::int64_t count, std::int64_t strips, const Body& body) const {
        const std::int64_t work = kernels.strip * net.passes * size() * strips;
        const std::int64_t grain =
            std::max<std::int64_t>(kWorkPerThread / std::max(work, std::int64_t{1}), 1);
        const std::int64_t each = kernels.workspace_size(net);
        const std::int64_t threads =
            std::clamp<std::int64_t>((count + grain - 1) / grain, 1, at::get_num_threads());
        const auto workspace = at::empty({threads * each}, held.front().options());
        auto* start = workspace.template mutable_data_ptr<Scalar>();
        if (threads == 1) {
            body(start, 0, count);
            return;
        }
        at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t t = first; t < last; ++t)
                body(start + t * each, count * t / threads, count * (t + 1) / threads);
        });
    }
};

at::DimVector output_size(const NetworkCall& call) {
    const auto n = call.x.size(0), m = call.parameters.back().size(0);
    if (!call.has_tangents()) return {n, m};
    return {1 + call.directions.size(0), n, m};
}

// How many groups of strips: by the network and the points alone, so that the order of summation
// does not depend on the number of threads. A multiple of 4, for even shares.
std::int64_t group_count(std::int64_t strips, std::int64_t tile, std::int64_t parameters) {
    const std::int64_t memory = kNumbersOfGroups / parameters;
    const std::int64_t few = std::min(2 * strips / tile, kFewGroups);
    const std::int64_t count = std::min({std::max(few, strips / tile), kGroups, memory});
    return count < 4 ? std::max<std::int64_t>(count, 1) : count / 4 * 4;
}

// to[i] = the sum over groups of from[group, i], for the numbers [begin, end) of all parameters.
template <typename Scalar>
void sum_groups(const Scalar* from, std::int64_t groups, std::int64_t size, std::int64_t begin,
                std::int64_t end, Scalar* to) {
    for (std::int64_t i = begin; i < end; ++i) to[i - begin] = from[i];
    for (std::int64_t group = 1; group < groups; ++group)
        for (std::int64_t i = begin; i < end; ++i) to[i - begin] += from[group * size + i];
}

template <typename Scalar>
void write_parameters(const Scalar* from, std::int64_t groups, std::int64_t size,
                      const std::vector<at::Tensor>& to) {
    std::vector<Scalar*> places;
    std::vector<std::int64_t> firsts;
    std::int64_t first = 0;
    for (const auto& t : to) {
        places.push_back(t.template mutable_data_ptr<Scalar>());
        firsts.push_back(first);
        first += t.numel();
    }
    at::parallel_for(0, size, 4096, [&](std::int64_t begin, std::int64_t end) {
        for (std::size_t p = 0; p < to.size(); ++p) {
            const std::int64_t low = std::max(begin, firsts[p]);
            const std::int64_t high = std::min(end, firsts[p] + to[p].numel());
            if (low < high) sum_groups(from, groups, size, low, high, places[p] + low - firsts[p]);
        }
    });
}

}  // namespace

bool can_fuse(const std::vector<at::Tensor>& tensors) {
    using c10::DispatchKey;
    if (c10::impl::TorchDispatchModeTLS::any_modes_set()) return false;
    static const c10::DispatchKeySet others({DispatchKey::Python, DispatchKey::FuncTorchBatched,
                                             DispatchKey::FuncTorchGradWrapper,
                                             DispatchKey::Functionalize, DispatchKey::Negative,
                                             DispatchKey::ZeroTensor, DispatchKey::Batched});
    const auto dtype = tensors.front().scalar_type();
    if (dtype != at::kDouble && dtype != at::kFloat) return false;
    for (const auto& t : tensors) {
        if (!t.defined()) continue;
        if (!t.device().is_cpu() || t.layout() != at::kStrided || t.scalar_type() != dtype)
            return false;
        if (t.key_set().has_any(others) || t._fw_grad(/*level=*/0).defined()) return false;
    }
    return true;
}

at::Tensor fused_network(const NetworkCall& call, NetworkKept* kept) {
    auto y = at::empty(output_size(call), call.x.options());
    AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "network", [&] {
        Prepared<scalar_t> p(call);
        const auto packed = p.pack(y.options());
        p.arrays.y = y.mutable_data_ptr<scalar_t>();
        if (kept) {
            kept->packed = packed;
            kept->hidden = at::empty({p.kernels.kept_size(p.net, p.arrays.rows)}, y.options());
            p.arrays.kept = kept->hidden.mutable_data_ptr<scalar_t>();
        }
        p.share(p.strips(), 1, [&](scalar_t* workspace, std::int64_t begin, std::int64_t end) {
            p.kernels.values(p.net, p.arrays, packed.const_data_ptr<scalar_t>(), workspace, begin,
                             end);
        });
    });
    return y;
}

std::vector<at::Tensor> fused_gradients(const NetworkCall& call, const at::Tensor& g,
                                        const NetworkKept& kept, const std::vector<bool>& wanted) {
    std::vector<at::Tensor> result(2 + call.parameters.size());
    if (wanted[0]) result[0] = at::empty_like(call.x, at::MemoryFormat::Contiguous);
    if (wanted[1]) result[1] = at::empty_like(call.directions, at::MemoryFormat::Contiguous);
    const bool of_parameters =
        std::any_of(wanted.begin() + 2, wanted.end(), [](bool w) { return w; });
    const auto dy = g.contiguous();
    AT_DISPATCH_FLOATING_TYPES(dy.scalar_type(), "network_gradients", [&] {
        Prepared<scalar_t> p(call);
        auto& a = p.arrays;
        a.dy = dy.const_data_ptr<scalar_t>();
        a.kept = kept.hidden.mutable_data_ptr<scalar_t>();
        if (wanted[0]) a.dx = result[0].mutable_data_ptr<scalar_t>();
        if (wanted[1]) a.ddirections = result[1].mutable_data_ptr<scalar_t>();
        const std::int64_t size = p.size(), strips = p.strips();
        const std::int64_t groups = group_count(strips, p.kernels.tile, size);
        at::Tensor partial;
        if (of_parameters) {
            partial = at::empty({groups, size}, dy.options());
            a.dparameters = partial.mutable_data_ptr<scalar_t>();
        }
        const auto* packed = kept.packed.const_data_ptr<scalar_t>();
        p.share(groups, (strips + groups - 1) / groups,
                [&](scalar_t* workspace, std::int64_t first, std::int64_t last) {
                    for (std::int64_t group = first; group < last; ++group) {
                        auto mine = a;
                        if (of_parameters) {
                            mine.dparameters += group * size;
                            std::fill_n(mine.dparameters, size, scalar_t(0));
                        }
                        p.kernels.gradients(p.net, mine, packed, workspace, strips * group / groups,
                                            strips * (group + 1) / groups);
                    }
                });
        if (!of_parameters) return;
        std::vector<at::Tensor> all;
        for (const auto& parameter : call.parameters)
            all.push_back(at::empty(parameter.sizes(), dy.options()));
        write_parameters(partial.const_data_ptr<scalar_t>(), groups, size, all);
        for (std::size_t i = 0; i < all.size(); ++i)
            if (wanted[2 + i]) result[2 + i] = all[i];
    });
    return result;
}

at::Tensor fused_jacobian(const NetworkCall& call) {
    at::Tensor rows;
    AT_DISPATCH_FLOATING_TYPES(call.x.scalar_type(), "network_jacobian", [&] {
        Prepared<scalar_t> p(call);
        rows =
            at::empty({p.arrays.rows, p.net.passes * p.net.outputs(), p.size()}, call.x.options());
        const auto packed = p.pack(call.x.options());
        p.arrays.jacobian = rows.mutable_data_ptr<scalar_t>();
        p.share(p.strips(), 3 * p.net.passes * p.net.outputs(),
                [&](scalar_t* workspace, std::int64_t begin, std::int64_t end) {
                    p.kernels.jacobian(p.net, p.arrays, packed.const_data_ptr<scalar_t>(),
                                       workspace, begin, end);
                });
    });
    return rows;
}

}  // namespace dtpinn
