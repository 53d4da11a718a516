// Collectives of a warp: who has to be there, and what each lane gets.
#include <algorithm>
#include <cstdio>

#include "block.h"
#include "report.h"

namespace cuda_on_cpu {
namespace {

const char* function(Kind kind) {
    switch (kind) {
        case Kind::sync:
            return "__syncwarp";
        case Kind::shuffle:
            return "__shfl_sync";
        case Kind::shuffle_up:
            return "__shfl_up_sync";
        case Kind::shuffle_down:
            return "__shfl_down_sync";
        case Kind::shuffle_xor:
            return "__shfl_xor_sync";
        case Kind::ballot:
            return "__ballot_sync";
        case Kind::any:
            return "__any_sync";
        default:
            return "__all_sync";
    }
}

bool has(unsigned mask, int lane) { return mask >> lane & 1u; }

bool agree(const Call& a, const Call& b) {
    return a.kind == b.kind && a.mask == b.mask && a.width == b.width && a.bytes == b.bytes;
}

}  // namespace

std::string text(const Call& call) {
    char details[80];
    std::snprintf(details, sizeof details, " (mask %#010x, width %d, %d bytes) at ", call.mask,
                  call.width, call.bytes);
    return function(call.kind) + (details + text(call.site));
}

Warp::Warp(std::deque<Thread>& threads, int number)
    : threads_(threads),
      first_(number * kLanes),
      lanes_(std::min<int>(kLanes, static_cast<int>(threads.size()) - first_)) {}

void Warp::arrive(int lane, const Call& call) {
    check_own(lane, call);
    check_others(lane, call);
    thread(lane).call = call;
    thread(lane).state = State::in_collective;

    std::vector<Fiber*> fibers;
    for (int other = 0; other < lanes_; ++other) {
        if (!has(call.mask, other)) continue;
        if (!waits(other) || !agree(thread(other).call, call)) return;
        fibers.push_back(&thread(other).fiber);
    }
    for (int other = 0; other < lanes_; ++other) {
        if (!has(call.mask, other)) continue;
        thread(other).answer = answer(other, thread(other).call);
        thread(other).state = State::ready;
    }
    // Only __syncwarp orders memory; CUDA promises nothing of the kind for shuffles and votes.
    if (call.kind == Kind::sync) Fiber::meet(fibers);
}

void Warp::check_own(int lane, const Call& call) const {
    if (!has(call.mask, lane)) fail(lane, call, ": a lane outside of its own mask");
    if (call.width < 1 || call.width > kLanes || (call.width & (call.width - 1)) != 0)
        fail(lane, call, ": the width has to be 1, 2, 4, 8, 16 or 32");
    const int from = source(lane, call);
    if (!has(call.mask, from))
        fail(lane, call, " and reads from lane " + std::to_string(from) + ", outside of the mask");
}

void Warp::check_others(int lane, const Call& call) const {
    for (int other = 0; other < kLanes; ++other) {
        if (!has(call.mask, other)) continue;
        if (other >= lanes_)
            fail(lane, call, ": the block has no lane " + std::to_string(other) + " of the mask");
        if (thread(other).state == State::returned)
            fail(lane, call, ": " + name(thread(other).number) + " of the mask has returned");
        const Call& theirs = thread(other).call;
        if (waits(other) && has(theirs.mask, lane) && !agree(theirs, call))
            fail(lane, call,
                 ", which disagrees: " + name(thread(other).number) + " waits in " + text(theirs));
    }
}

void Warp::fail(int lane, const Call& call, const std::string& what) const {
    misuse(name(thread(lane).number) + " calls " + text(call) + what);
}

// The lane that a shuffle reads from; its own where CUDA keeps the value.
int Warp::source(int lane, const Call& call) const {
    const int first = lane / call.width * call.width, end = first + call.width;
    int from = lane;
    if (call.kind == Kind::shuffle) from = first + (call.argument & (call.width - 1));
    if (call.kind == Kind::shuffle_up) from = lane - call.argument;
    if (call.kind == Kind::shuffle_down) from = lane + call.argument;
    if (call.kind == Kind::shuffle_xor) from = lane ^ call.argument;
    // The exclusive or may reach into earlier sub-warps.
    const int lowest = call.kind == Kind::shuffle_xor ? 0 : first;
    return from >= lowest && from < end ? from : lane;
}

std::uint64_t Warp::answer(int lane, const Call& call) const {
    std::uint64_t ballot = 0;
    switch (call.kind) {
        case Kind::sync:
            return 0;
        case Kind::ballot:
        case Kind::any:
        case Kind::all:
            for (int other = 0; other < lanes_; ++other)
                if (has(call.mask, other)) ballot |= thread(other).call.value << other;
            if (call.kind == Kind::any) return ballot != 0;
            return call.kind == Kind::all ? ballot == call.mask : ballot;
        default:
            return thread(source(lane, call)).call.value;
    }
}

}  // namespace cuda_on_cpu
