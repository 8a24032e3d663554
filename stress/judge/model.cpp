// SPDX-License-Identifier: MIT
#include "stress/judge/model.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

bool demands_something(const BitOp& op) {
    return op.certain || op.kind == BitOp::Kind::take || op.kind == BitOp::Kind::absent;
}

}  // namespace

std::size_t RegisterModel::add_write(Time from, Time to, bool certain, OpIndex source) {
    writes_.push_back({from, to, certain, true, source, 0, 0, false});
    return writes_.size() - 1;
}

void RegisterModel::add_read(std::size_t write, Time from, Time to, OpIndex source) {
    reads_.push_back({from, to, true, source, write});
}

void RegisterModel::add(const BitOp& op, OpIndex source) { ops_.push_back({op, true, source}); }

void RegisterModel::clear() {
    writes_.clear();
    reads_.clear();
    ops_.clear();
    horizon_ = never;
}

std::vector<RegisterModel::Demand> RegisterModel::demands() const {
    std::vector<Demand> demands;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
        if (writes_[i].certain)
            demands.push_back(
                {Demand::Kind::write, writes_[i].source, writes_[i].from, writes_[i].to, i});
    }
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        demands.push_back({Demand::Kind::read, reads_[i].source, reads_[i].from, reads_[i].to, i});
    }
    for (std::size_t i = 0; i < ops_.size(); ++i) {
        const auto& [op, wanted, source] = ops_[i];
        if (demands_something(op)) demands.push_back({Demand::Kind::op, source, op.from, op.to, i});
    }
    return demands;
}

void RegisterModel::want(bool wanted) {
    for (auto& write : writes_) write.wanted = wanted;
    for (auto& read : reads_) read.wanted = wanted;
    for (auto& op : ops_) op.wanted = wanted;
}

bool RegisterModel::has_order(std::span<const Demand> demands, BitHistory& bits) {
    want(false);
    for (const auto& demand : demands) {
        switch (demand.kind) {
            case Demand::Kind::write:
                writes_[demand.index].wanted = true;
                break;
            case Demand::Kind::read:
                reads_[demand.index].wanted = true;
                break;
            case Demand::Kind::op:
                ops_[demand.index].wanted = true;
                break;
        }
    }
    return solve(bits);
}

bool RegisterModel::has_order(BitHistory& bits) {
    want(true);
    return solve(bits);
}

bool RegisterModel::solve(BitHistory& bits) {
    bits.ops.clear();
    bits.holds.clear();
    for (auto& write : writes_) {
        write.first = write.to;
        write.last = write.from;
        write.is_read = false;
    }
    for (const auto& read : reads_) {
        if (!read.wanted) continue;
        auto& write = writes_[read.write];
        if (read.to < write.from) return false;
        write.first = std::min(write.first, read.to);
        write.last = std::max(write.last, read.from);
        write.is_read = true;
    }
    for (const auto& write : writes_) {
        if (write.first < write.last) {
            bits.holds.push_back({write.first, write.last});
        } else if (write.is_read || write.from <= horizon_) {
            const bool certain = write.is_read || (write.certain && write.wanted);
            bits.ops.push_back({write.last, write.first, BitOp::Kind::fill, certain});
        }
    }
    for (const auto& [op, wanted, source] : ops_) {
        if (wanted) {
            bits.ops.push_back(op);
        } else if (op.kind != BitOp::Kind::absent && op.from <= horizon_) {
            // It may still have emptied the key. A take that need not have happened is a clear.
            bits.ops.push_back({op.from, op.to, BitOp::Kind::clear, false});
        }
    }
    return stress::has_order(bits);
}

template <class Visit>
void RegisterModel::for_each_change(const Visit& visit) const {
    for (const auto& write : writes_) visit(write.from, write.to, write.source);
    for (const auto& [op, wanted, source] : ops_) {
        if (op.kind != BitOp::Kind::absent) visit(op.from, op.to, source);
    }
}

std::vector<OpIndex> RegisterModel::changes_between(Time from, Time to) const {
    std::vector<OpIndex> found;
    for_each_change([&](Time begin, Time end, OpIndex source) {
        if (begin <= to && end >= from) found.push_back(source);
    });
    return found;
}

std::optional<OpIndex> RegisterModel::last_change_before(Time time) const {
    std::optional<OpIndex> found;
    Time latest = 0;
    for_each_change([&](Time, Time end, OpIndex source) {
        if (end >= time || end < latest) return;
        latest = end;
        found = source;
    });
    return found;
}

}  // namespace larder::stress
