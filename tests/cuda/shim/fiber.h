// A thread of control with a stack of its own, which runs when told to and stops where it likes.
// AddressSanitizer and ThreadSanitizer, where linked, are told about every switch.
#pragma once

#include <ucontext.h>

#include <functional>
#include <vector>

namespace cuda_on_cpu {

class Fiber {
  public:
    explicit Fiber(const std::function<void()>& body);  // which has to outlive it
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    void resume();   // called from outside: runs the body until it suspends itself or ends
    void suspend();  // called by the body
    bool ended() const { return ended_; }

    // For ThreadSanitizer, all that these fibers did happens before all that they do from now on;
    // switching alone orders nothing.
    static void meet(const std::vector<Fiber*>& fibers);
    // All that these fibers did happens before all that the caller does from now on.
    static void join(const std::vector<Fiber*>& fibers);

  private:
    static void enter();
    void leave();

    const std::function<void()>& body_;
    bool ended_ = false;
    void* stack_;
    ucontext_t inside_, outside_;
    void* thread_;  // ThreadSanitizer's idea of this fiber, and of who resumed it
    void* caller_ = nullptr;
    void* fake_stack_ = nullptr;  // AddressSanitizer's
    const void* caller_stack_ = nullptr;
    std::size_t caller_size_ = 0;
};

}  // namespace cuda_on_cpu
