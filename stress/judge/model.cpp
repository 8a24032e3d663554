// SPDX-License-Identifier: MIT
#include "stress/judge/model.hpp"

#include <algorithm>

namespace larder::stress {

namespace {

bool demands_something(const Letter& letter) {
    return letter.certain || letter.kind == Letter::Kind::take ||
           letter.kind == Letter::Kind::absent;
}

}  // namespace

std::size_t Model::add_write(Time from, Time to, bool certain, Place source) {
    writes_.push_back({from, to, certain, true, source, 0, 0, false});
    return writes_.size() - 1;
}

void Model::add_read(std::size_t write, Time from, Time to, Place source) {
    reads_.push_back({from, to, true, source, write});
}

void Model::add(const Letter& letter, Place source) { letters_.push_back({letter, true, source}); }

void Model::clear() {
    writes_.clear();
    reads_.clear();
    letters_.clear();
    horizon_ = never;
}

std::vector<Model::Demand> Model::demands() const {
    std::vector<Demand> demands;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
        if (writes_[i].certain)
            demands.push_back(
                {Demand::Kind::write, writes_[i].source, writes_[i].from, writes_[i].to, i});
    }
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        demands.push_back({Demand::Kind::read, reads_[i].source, reads_[i].from, reads_[i].to, i});
    }
    for (std::size_t i = 0; i < letters_.size(); ++i) {
        const auto& [letter, wanted, source] = letters_[i];
        if (demands_something(letter))
            demands.push_back({Demand::Kind::letter, source, letter.from, letter.to, i});
    }
    return demands;
}

void Model::want(bool wanted) {
    for (auto& write : writes_) write.wanted = wanted;
    for (auto& read : reads_) read.wanted = wanted;
    for (auto& letter : letters_) letter.wanted = wanted;
}

bool Model::has_order(std::span<const Demand> demands, Puzzle& puzzle) {
    want(false);
    for (const auto& demand : demands) {
        switch (demand.kind) {
            case Demand::Kind::write:
                writes_[demand.index].wanted = true;
                break;
            case Demand::Kind::read:
                reads_[demand.index].wanted = true;
                break;
            case Demand::Kind::letter:
                letters_[demand.index].wanted = true;
                break;
        }
    }
    return solve(puzzle);
}

bool Model::has_order(Puzzle& puzzle) {
    want(true);
    return solve(puzzle);
}

bool Model::solve(Puzzle& puzzle) {
    puzzle.letters.clear();
    puzzle.holds.clear();
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
            puzzle.holds.push_back({write.first, write.last});
        } else if (write.is_read || write.from <= horizon_) {
            const bool certain = write.is_read || (write.certain && write.wanted);
            puzzle.letters.push_back({write.last, write.first, Letter::Kind::fill, certain});
        }
    }
    for (const auto& [letter, wanted, source] : letters_) {
        if (wanted) {
            puzzle.letters.push_back(letter);
        } else if (letter.kind != Letter::Kind::absent && letter.from <= horizon_) {
            // It may still have emptied the key. (A take that need not happen is no more than that.)
            puzzle.letters.push_back({letter.from, letter.to, Letter::Kind::clear, false});
        }
    }
    return stress::has_order(puzzle);
}

template <class Visit>
void Model::for_each_change(const Visit& visit) const {
    for (const auto& write : writes_) visit(write.from, write.to, write.source);
    for (const auto& [letter, wanted, source] : letters_) {
        if (letter.kind != Letter::Kind::absent) visit(letter.from, letter.to, source);
    }
}

std::vector<Place> Model::changes_between(Time from, Time to) const {
    std::vector<Place> found;
    for_each_change([&](Time begin, Time end, Place source) {
        if (begin <= to && end >= from) found.push_back(source);
    });
    return found;
}

std::optional<Place> Model::last_change_before(Time time) const {
    std::optional<Place> found;
    Time latest = 0;
    for_each_change([&](Time, Time end, Place source) {
        if (end >= time || end < latest) return;
        latest = end;
        found = source;
    });
    return found;
}

}  // namespace larder::stress
