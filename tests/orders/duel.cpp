// SPDX-License-Identifier: MIT
#include "duel.hpp"

#include <algorithm>
#include <stdexcept>

namespace larder::testing {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

WorldStart beginning_of(const ProgramPair& pairing) {
    const auto either = [&](Op operation) {
        return pairing.a.has(operation) || pairing.b.has(operation);
    };
    return {pairing.key, either(Op::collect),
            pairing.a.finds_dead() ? pairing.a.died_at : pairing.b.died_at};
}

/// Returns whether the operation may wait. No other may (invariant 7).
bool may_wait(Op operation) {
    return operation == Op::put || operation == Op::build || operation == Op::remove ||
           operation == Op::evict;
}

}  // namespace

std::string ProgramPair::name() const {
    const char* const first = key == KeyState::absent    ? "absent"
                              : key == KeyState::present ? "present"
                              : key == KeyState::unmade  ? "unmade"
                                                         : "dangling";
    return a.name + " x " + b.name + ", " + first;
}

ProcessDuel::ProcessDuel(const ProgramPair& pairing)
    : pairing_(pairing), world_(beginning_of(pairing)) {
    for (const int process : {0, 1}) {
        sides_[index(process)].child = std::make_unique<Child>([this, process](Child& child) {
            work(child, world_.root(), program(process), process);
        });
    }
}

std::string ProcessDuel::listen(int process) {
    std::string heard = sides_[index(process)].child->listen();
    if (heard.empty()) fail(std::string(1, process == 0 ? 'A' : 'B') + " has died");
    return heard;
}

void ProcessDuel::begin() {
    now_ = 0;
    word_.clear();
    lines_.clear();
    history_.clear();
    world_.prepare();
    for (const int process : {0, 1}) {
        DuelSide& side = sides_[index(process)];
        side = {std::move(side.child)};
        side.child->go_on();
        side.child->wait_for("ready");
    }
    world_.strike();
    world_.audit().look();
}

bool ProcessDuel::is_enabled(int process) const {
    const DuelSide& side = sides_[index(process)];
    return !side.ended && (!side.waiting || side.other_has_moved);
}

bool ProcessDuel::step(int process, bool known) {
    DuelSide& side = sides_[index(process)];
    DuelSide& other = sides_[index(1 - process)];
    if (!side.in_operation) {
        side.in_operation = true;
        side.begun = now_ + 1;
    }
    side.child->go_on();
    std::string heard = listen(process);
    const bool waits = heard == "at lock.waiting";
    if (waits && side.waiting) {
        if (other.ended) fail("it waits, although there is no process to wait for");
        if (!is_enabled(1 - process)) fail("each waits for the other");
        side.other_has_moved = false;
        return false;
    }
    ++now_;
    ++side.steps;
    word_ += process == 0 ? 'A' : 'B';
    side.waiting = waits;
    side.other_has_moved = false;
    other.other_has_moved = true;
    if (waits && !may_wait(operation(process)))
        fail("invariant 7 is broken: " + testing::name_of(operation(process)) + " waits");
    if (heard.starts_with("did ")) {
        record(process, heard.substr(4));
        heard = listen(process);
    }
    lines_.push_back(std::string(process == 0 ? "A " : "    B ") + heard);
    side.ended = heard == "at end";
    if (known) {
        world_.audit().glance();
    } else {
        world_.audit().look();
    }
    return true;
}

void ProcessDuel::record(int process, const std::string& result) {
    DuelSide& side = sides_[index(process)];
    const Op done = operation(process);
    const bool puts = done == Op::put || done == Op::build;
    const std::string content = puts ? content_by(process, side.operation) : "";
    history_.push_back({process, done, content, side.begun, now_, result});
    lines_.push_back(describe({history_.back()}));
    lines_.back().pop_back();
    side.in_operation = false;
    ++side.operation;
    if (done == Op::collect && result == "ok" && !world_.garbage_is_gone())
        fail("a collection has left garbage that no process had leased");
}

void ProcessDuel::conclude() {
    const std::string last = world_.read_key();
    if (const auto complaint =
            judge(history_, pairing_.key == KeyState::present ? "old" : "", last);
        !complaint.empty())
        fail(complaint);
    const bool refreshed = pairing_.a.has(Op::refresh) || pairing_.b.has(Op::refresh);
    const bool has_neighbour =
        pairing_.key == KeyState::absent || pairing_.key == KeyState::dangling;
    if (has_neighbour && world_.neighbour_stands() == refreshed)
        fail("another key of the bucket is lost, or has survived a refresh");
    const auto reaps = [](const TimedOp& event) {
        return event.operation == Op::adopt ||
               (event.operation == Op::collect && event.result == "ok");
    };
    const bool a_process_died = !beginning_of(pairing_).died_at.empty();
    if ((!a_process_died || std::any_of(history_.begin(), history_.end(), reaps)) &&
        !world_.staging_is_empty()) {
        fail("something is left in a staging area");
    }
    world_.collect_beside();
    world_.audit().look();
    for (DuelSide& side : sides_) {
        side.child->go_on();
        if (const auto heard = side.child->listen(); heard != "leases good")
            fail("invariant 4 is broken: " + heard);
    }
    for (DuelSide& side : sides_) {
        side.child->go_on();
        side.child->wait_for("closed");
    }
    world_.conclude();
}

std::string ProcessDuel::story() const {
    std::string text;
    for (const auto& line : lines_) text += "  " + line + "\n";
    return text;
}

}  // namespace larder::testing
