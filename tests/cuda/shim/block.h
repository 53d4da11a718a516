// A block of threads: fibers that run until they wait for each other.
#pragma once

#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "collectives.h"
#include "fiber.h"
#include "grid.h"
#include "simulation.h"

namespace cuda_on_cpu {

// Who is next, by simulation.order.
class Schedule {
  public:
    Schedule() : random_(simulation.seed) {}
    int pick(const std::vector<int>& ready);  // one of them

  private:
    std::mt19937_64 random_;
};

enum class State { ready, at_barrier, in_collective, returned };

struct Thread {
    Thread(int number, const std::function<void()>& kernel) : number(number), fiber(kernel) {}

    const int number;  // within the block
    Fiber fiber;
    State state = State::ready;
    Site barrier{};          // where it waits, at_barrier
    Call call{};             // what it waits in, in_collective
    std::uint64_t answer{};  // what it got there
};

// Lanes of one warp: those of the block's threads from `first` on.
class Warp {
  public:
    Warp(std::deque<Thread>& threads, int number);
    // A lane calls a collective. If it is the last of the mask, all of them are ready again.
    void arrive(int lane, const Call& call);

  private:
    void check_own(int lane, const Call& call) const;
    void check_others(int lane, const Call& call) const;
    [[noreturn]] void fail(int lane, const Call& call, const std::string& what) const;
    std::uint64_t answer(int lane, const Call& call) const;
    int source(int lane, const Call& call) const;
    bool waits(int lane) const { return thread(lane).state == State::in_collective; }
    Thread& thread(int lane) const { return threads_[first_ + lane]; }

    std::deque<Thread>& threads_;
    const int first_, lanes_;
};

class Block {
  public:
    Block(int threads, const std::function<void()>& kernel);

    void run(Schedule& schedule);
    // Called by the thread that runs:
    void barrier(const Site& site);
    std::uint64_t collective(const Call& call);

    std::vector<Fiber*> fibers();

  private:
    void check_return(const Thread& thread) const;
    [[noreturn]] void deadlock() const;

    std::deque<Thread> threads_;  // which cannot be moved
    int current_ = 0;
};

uint3 coordinates(int number, const dim3& size);
std::string text(const Call& call);
std::string name(int thread);  // with its warp and lane

}  // namespace cuda_on_cpu
