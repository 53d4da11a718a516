#include "fiber.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

// This file is compiled once, without instrumentation: the sanitizer of the program that it is
// linked into decides which of these are there.
extern "C" {
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* save, const void** bottom, std::size_t*);
}

namespace cuda_on_cpu {
namespace {

constexpr std::size_t kStack = 256 * 1024;  // a sanitizer's report is written on it, too
constexpr unsigned kNoSync = 1;

// What a fiber runs on. Making one takes ThreadSanitizer a millisecond, so they are kept.
struct Carrier {
    void* stack;
    void* thread;  // ThreadSanitizer's idea of it
};
std::vector<Carrier> idle;
Fiber* entering;

Carrier new_carrier() {
    void* const stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
        std::perror("no memory for the stack of a simulated thread");
        std::exit(1);
    }
    return {stack, __tsan_create_fiber ? __tsan_create_fiber(0) : nullptr};
}

void switch_thread(void* thread) {
    if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(thread, kNoSync);
}

// All that the first ones did happens before all that the others do from now on.
void order(const std::vector<void*>& before, const std::vector<void*>& after) {
    void* const current = __tsan_get_current_fiber();
    const auto address = std::make_unique<char>();  // a new one, to order these and no others
    for (void* thread : before) {
        switch_thread(thread);
        __tsan_release(address.get());
    }
    for (void* thread : after) {
        switch_thread(thread);
        __tsan_acquire(address.get());
    }
    switch_thread(current);
}

}  // namespace

Fiber::Fiber(const std::function<void()>& body) : body_(body) {
    if (idle.empty()) idle.push_back(new_carrier());
    stack_ = idle.back().stack;
    thread_ = idle.back().thread;
    idle.pop_back();
    if (thread_) order({__tsan_get_current_fiber()}, {thread_});
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_;
    inside_.uc_stack.ss_size = kStack;
    inside_.uc_link = nullptr;
    makecontext(&inside_, &Fiber::enter, 0);
    // Or AddressSanitizer, at every switch, would clear what it knows of the whole stack.
    inside_.uc_stack.ss_size = 0;
}

Fiber::~Fiber() { idle.push_back({stack_, thread_}); }

void Fiber::resume() {
    void* fake_stack = nullptr;
    entering = this;
    if (__tsan_get_current_fiber) caller_ = __tsan_get_current_fiber();
    if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&fake_stack, stack_, kStack);
    switch_thread(thread_);
    swapcontext(&outside_, &inside_);
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}

void Fiber::enter() {
    Fiber* const self = entering;
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(nullptr, &self->caller_stack_, &self->caller_size_);
    self->body_();
    self->ended_ = true;
    self->leave();
}

void Fiber::suspend() {
    leave();
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(fake_stack_, &caller_stack_, &caller_size_);
}

void Fiber::leave() {
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(ended_ ? nullptr : &fake_stack_, caller_stack_,
                                       caller_size_);
    switch_thread(caller_);
    swapcontext(&inside_, &outside_);
}

void Fiber::meet(const std::vector<Fiber*>& fibers) {
    if (!__tsan_get_current_fiber) return;
    std::vector<void*> threads;
    for (const Fiber* fiber : fibers) threads.push_back(fiber->thread_);
    order(threads, threads);
}

void Fiber::join(const std::vector<Fiber*>& fibers) {
    if (!__tsan_get_current_fiber) return;
    std::vector<void*> threads;
    for (const Fiber* fiber : fibers) threads.push_back(fiber->thread_);
    order(threads, {__tsan_get_current_fiber()});
}

}  // namespace cuda_on_cpu
