// The autograd node that both operators share: a hand-written one, as torch's own kernels have it.
//
// A Node, and neither a C++ autograd::Function (it refuses forward mode and torch.func) nor a
// Python formula (silently no forward mode, and several times the overhead).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/dynamo/compiled_autograd.h>
#include <torch/version.h>

#include <array>
#include <mutex>
#include <string>
#include <vector>

#include "ops.h"

namespace dtpinn {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

// What a backward pass starts from: the structure, the two differentiable operands in the order of
// the operator's arguments, and which of the two products it was.
struct Saved {
    CsrTensors A;  // without values
    at::Tensor first, second;
    bool transpose;
};

// The gradients of both operands; `wanted` tells which are asked for.
using GradientRule = variable_list (*)(const Saved& saved, const at::Tensor& gradient,
                                       std::array<bool, 2> wanted);

template <GradientRule rule>
struct CsrNode : public torch::autograd::Node {
    CsrTensors A;
    SavedVariable first, second;
    bool transpose = false;

    void release_variables() override {
        const std::lock_guard<std::mutex> lock(mutex_);
        first.reset_data();
        second.reset_data();
    }

    variable_list apply(variable_list&& gradients) override {
        const std::lock_guard<std::mutex> lock(mutex_);  // two threads may run one graph
        if (!gradients[0].defined()) return variable_list(2);
        const Saved saved{A, first.unpack(), second.unpack(), transpose};
        return rule(saved, gradients[0],
                    {task_should_compute_output(0), task_should_compute_output(1)});
    }

    // -- compiled autograd: the same rule, recorded as a function of everything it reads ----------

    void compiled_args(torch::dynamo::autograd::CompiledNodeArgs& args) const override {
        for (const auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm}) args.collect(*t);
        args.collect(A.values_t);
        args.collect(first, /*is_output=*/false);
        args.collect(second, /*is_output=*/false);
        for (const bool flag : flags()) args.collect(flag);
    }

    variable_list apply_with_saved(const variable_list& gradients,
                                   torch::dynamo::autograd::SwapSavedVariables& swap) override {
        using namespace torch::dynamo::autograd;
        for (auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm}) swap.before(*t);
        swap.before(A.values_t);
        swap.before(first);
        swap.before(second);

        PackedArgs packed;
        for (const auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm}) packed.pack(*t);
        packed.pack(A.values_t.value_or(at::Tensor()));
        packed.pack(first.unpack());
        packed.pack(second.unpack());
        for (const bool flag : flags()) packed.pack(flag);

        const auto& compiler = getPyCompilerInterface();
        static const std::string bound = [&] {
            std::vector<at::TypePtr> schema(8, at::TensorType::get());
            schema.insert(schema.end(), 3, at::BoolType::get());
            return compiler->bind_function(swap.get_py_compiler(), name(), replay, schema);
        }();
        const auto outputs = IValuePacker<std::vector<std::optional<InputMetadata>>>::pack(
            get_input_metadata(next_edges()));
        auto result = compiler->call_function(swap.get_py_compiler(), "apply_functional", bound,
                                              gradients, packed.vec(), outputs);

        for (auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm}) swap.after(*t);
        swap.after(A.values_t);
        swap.after(first);
        swap.after(second);
        return result;
    }

  private:
    std::array<bool, 3> flags() const {
        return {transpose, task_should_compute_output(0), task_should_compute_output(1)};
    }

    static variable_list replay(const variable_list& gradients,
                                const std::vector<at::IValue>& arguments) {
        torch::dynamo::autograd::PackedArgs packed(arguments);
        Saved saved;
        auto& A = saved.A;
        for (auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm})
            *t = packed.unpack<at::Tensor>();
        const auto values_t = packed.unpack<at::Tensor>();
        if (values_t.defined()) A.values_t = values_t;
        saved.first = packed.unpack<at::Tensor>();
        saved.second = packed.unpack<at::Tensor>();
        saved.transpose = packed.unpack<bool>();
        const bool one = packed.unpack<bool>(), two = packed.unpack<bool>();
        if (!gradients[0].defined()) return variable_list(2);
        return rule(saved, gradients[0], {one, two});
    }
};

// torch 2.13 moved autograd nodes from shared_ptr to intrusive_ptr.
template <typename Node>
auto make_node() {
#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 13
    return std::shared_ptr<Node>(new Node(), torch::autograd::deleteNode);
#else
    return c10::make_intrusive<Node>();
#endif
}

}  // namespace dtpinn
