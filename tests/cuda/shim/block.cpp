#include "block.h"

#include "report.h"

namespace cuda_on_cpu {

int Schedule::pick(const std::vector<int>& ready) {
    switch (simulation.order) {
        case Order::ascending:
            return ready.front();
        case Order::descending:
            return ready.back();
        default:
            return ready[random_() % ready.size()];
    }
}

uint3 coordinates(int number, const dim3& size) {
    const auto n = static_cast<unsigned>(number);
    return {n % size.x, n / size.x % size.y, n / size.x / size.y};
}

std::string name(int thread) {
    return "thread " + std::to_string(thread) + " (warp " + std::to_string(thread / kLanes) +
           ", lane " + std::to_string(thread % kLanes) + ")";
}

Block::Block(int threads, const std::function<void()>& kernel) {
    for (int number = 0; number < threads; ++number) threads_.emplace_back(number, kernel);
}

std::vector<Fiber*> Block::fibers() {
    std::vector<Fiber*> fibers;
    for (Thread& thread : threads_) fibers.push_back(&thread.fiber);
    return fibers;
}

void Block::run(Schedule& schedule) {
    std::vector<int> ready;
    for (std::size_t returned = 0; returned < threads_.size();) {
        ready.clear();
        for (const Thread& thread : threads_)
            if (thread.state == State::ready) ready.push_back(thread.number);
        if (ready.empty()) deadlock();
        current_ = schedule.pick(ready);
        threadIdx = coordinates(current_, blockDim);
        Thread& thread = threads_[current_];
        thread.fiber.resume();
        if (!thread.fiber.ended()) continue;
        thread.state = State::returned;
        check_return(thread);
        ++returned;
    }
}

void Block::barrier(const Site& site) {
    Thread& self = threads_[current_];
    self.state = State::at_barrier;
    self.barrier = site;
    bool complete = true;
    for (const Thread& other : threads_) {
        if (other.state == State::returned)
            misuse(name(self.number) + " waits in __syncthreads at " + text(site) + " for " +
                   name(other.number) + ", which has returned");
        if (other.state != State::at_barrier) {
            complete = false;
        } else if (other.barrier != site) {
            misuse("divergent barrier: " + name(self.number) + " is in __syncthreads at " +
                   text(site) + ", " + name(other.number) + " at " + text(other.barrier));
        }
    }
    if (complete) {
        for (Thread& thread : threads_) thread.state = State::ready;
        Fiber::meet(fibers());
    }
    self.fiber.suspend();
}

std::uint64_t Block::collective(const Call& call) {
    Thread& self = threads_[current_];
    Warp(threads_, self.number / kLanes).arrive(self.number % kLanes, call);
    self.fiber.suspend();
    return self.answer;
}

void Block::check_return(const Thread& thread) const {
    for (const Thread& other : threads_)
        if (other.state == State::at_barrier)
            misuse(name(thread.number) + " returned, " + name(other.number) +
                   " waits for it in __syncthreads at " + text(other.barrier));
    for (const Thread& other : threads_) {
        const bool names = other.number / kLanes == thread.number / kLanes &&
                           (other.call.mask >> thread.number % kLanes & 1u);
        if (other.state == State::in_collective && names)
            misuse(name(thread.number) + " returned, " + name(other.number) + " waits for it in " +
                   text(other.call));
    }
}

void Block::deadlock() const {
    std::string waiting;
    for (const Thread& thread : threads_) {
        if (thread.state == State::at_barrier)
            waiting +=
                "\n    " + name(thread.number) + " in __syncthreads at " + text(thread.barrier);
        if (thread.state == State::in_collective)
            waiting += "\n    " + name(thread.number) + " in " + text(thread.call);
    }
    misuse("deadlock: no thread can go on" + waiting);
}

}  // namespace cuda_on_cpu
