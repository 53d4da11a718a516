// The autograd node of the fused network: first derivatives by its kernels, while nobody asks for
// derivatives of them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/dynamo/compiled_autograd.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../csr/node.h"
#include "network.h"

namespace dtpinn {

struct NetworkBackward : public torch::autograd::Node {
    NetworkKept kept;

    void save(const NetworkCall& call) {
        for (const auto& t : call.tensors()) saved_.emplace_back(t, /*is_output=*/false);
        parameters_ = call.parameters.size();
    }

    std::string name() const override { return "NetworkBackward"; }

    void release_variables() override {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto& saved : saved_) saved.reset_data();
        kept = {};
    }

    variable_list apply(variable_list&& gradients) override {
        const std::lock_guard<std::mutex> lock(mutex_);  // two threads may run one graph
        const auto& g = gradients[0];
        if (!g.defined()) return variable_list(2 + parameters_);
        std::vector<at::Tensor> tensors;
        for (auto& saved : saved_) tensors.push_back(saved.unpack());
        const auto call = as_call(tensors, parameters_);
        auto all = tensors;
        all.push_back(g);
        if (at::GradMode::is_enabled() || !can_fuse(all)) return plain_gradients(call, g, wanted());
        return fused_gradients(call, g, kept, wanted());
    }

    // Compiled autograd: the plain expression, recorded as a function of everything it reads.
    void compiled_args(torch::dynamo::autograd::CompiledNodeArgs& args) const override {
        args.collect(saved_, /*is_output=*/false);
        args.collect(static_cast<std::int64_t>(parameters_));
        for (const bool flag : wanted()) args.collect(flag);
    }

    variable_list apply_with_saved(const variable_list& gradients,
                                   torch::dynamo::autograd::SwapSavedVariables& swap) override {
        using namespace torch::dynamo::autograd;
        swap.before(saved_);
        std::vector<at::Tensor> tensors;
        for (auto& saved : saved_) tensors.push_back(saved.unpack());
        const auto which = wanted();
        PackedArgs packed;
        packed.pack(static_cast<std::int64_t>(tensors.size()));
        for (const auto& t : tensors) packed.pack(t);
        for (std::size_t i = 0; i < which.size(); ++i) packed.pack(static_cast<bool>(which[i]));

        const auto& compiler = getPyCompilerInterface();
        const auto bound = bind(*compiler, swap.get_py_compiler(), tensors.size(), which.size());
        const auto outputs = IValuePacker<std::vector<std::optional<InputMetadata>>>::pack(
            get_input_metadata(next_edges()));
        auto result = compiler->call_function(swap.get_py_compiler(), "apply_functional", bound,
                                              gradients, packed.vec(), outputs);
        swap.after(saved_);
        return result;
    }

  private:
    std::vector<SavedVariable> saved_;  // x, directions, parameters, normalisation
    std::size_t parameters_ = 0;

    static NetworkCall as_call(const std::vector<at::Tensor>& tensors, std::size_t parameters) {
        const auto first = tensors.begin() + 2, end = first + parameters;
        return {tensors[0], tensors[1], {first, end}, {end, tensors.end()}};
    }

    std::vector<bool> wanted() const {
        std::vector<bool> flags;
        for (std::size_t i = 0; i < 2 + parameters_; ++i)
            flags.push_back(task_should_compute_output(i));
        return flags;
    }

    // The name of `replay` for so many tensors and flags: torch takes each name once. Passes under
    // compiled autograd are one at a time, by its own lock.
    static std::string bind(const torch::dynamo::autograd::PyCompilerInterface& compiler,
                            PyObject* py_compiler, std::size_t tensors, std::size_t flags) {
        static std::map<std::pair<std::size_t, std::size_t>, std::string> known;
        auto& bound = known[{tensors, flags}];
        if (bound.empty()) {
            std::vector<at::TypePtr> schema{at::IntType::get()};
            schema.insert(schema.end(), tensors, at::TensorType::get());
            schema.insert(schema.end(), flags, at::BoolType::get());
            const auto name =
                "NetworkBackward" + std::to_string(tensors) + "_" + std::to_string(flags);
            bound = compiler.bind_function(py_compiler, name, replay, schema);
        }
        return bound;
    }

    static variable_list replay(const variable_list& gradients,
                                const std::vector<at::IValue>& arguments) {
        torch::dynamo::autograd::PackedArgs packed(arguments);
        const auto count = packed.unpack<std::int64_t>();
        std::vector<at::Tensor> tensors;
        for (std::int64_t i = 0; i < count; ++i) tensors.push_back(packed.unpack<at::Tensor>());
        std::vector<bool> wanted;
        while (wanted.size() + 1 + tensors.size() < arguments.size())
            wanted.push_back(packed.unpack<bool>());
        if (!gradients[0].defined()) return variable_list(wanted.size());
        return plain_gradients(as_call(tensors, wanted.size() - 2), gradients[0], wanted);
    }
};

}  // namespace dtpinn
