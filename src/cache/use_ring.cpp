// SPDX-License-Identifier: MIT
#include "cache/use_ring.hpp"

#include <algorithm>
#include <atomic>

namespace larder::cache {

namespace {

using format::uses_per_table;

/// A word of the ring, which other processes read, and a collection writes, meanwhile.
using RingWord = std::atomic_ref<format::TableWord>;

std::size_t place_of(std::uint64_t number) noexcept {
    return static_cast<std::size_t>((number - 1) % uses_per_table);
}

}  // namespace

UseRing::UseRing(format::RingBytes& bytes)
    : bytes_(bytes), head_(bytes.head), settled_(bytes.head), first_(bytes.head + 1) {}

bool UseRing::counts(std::uint64_t number, const format::Id& id) const noexcept {
    // Another use takes the place only once this one is settled. So the place is looked at first.
    format::TableId& words = bytes_.uses[place_of(number)];
    return RingWord(words.high).load(std::memory_order_acquire) == id.high &&
           RingWord(words.low).load(std::memory_order_acquire) == id.low &&
           number > RingWord(bytes_.settled).load(std::memory_order_acquire);
}

std::uint64_t UseRing::settled() const noexcept {
    const std::uint64_t shown = RingWord(bytes_.settled).load(std::memory_order_acquire);
    // A collection that was slow may have shown less than this process has settled. No collection
    // shows more than was written, so more is damage.
    return shown <= head_ ? std::max(shown, settled_) : settled_;
}

std::uint64_t UseRing::write(const format::Id& id, std::string_view key_path) {
    const std::lock_guard guard(mutex_);
    // The use that stands in this place was settled before, or it would be lost.
    if (head_ - settled() >= uses_per_table) return 0;
    const std::size_t place = place_of(head_ + 1), index = index_of(head_ + 1);
    if (index == key_paths_.size()) key_paths_.emplace_back();
    key_paths_[index].assign(key_path);
    // First the id, then the head: a collection that reads the new head finds the id. One that
    // reads half an id finds no entry of this name.
    format::TableId& words = bytes_.uses[place];
    RingWord(words.high).store(id.high, std::memory_order_relaxed);
    RingWord(words.low).store(id.low, std::memory_order_relaxed);
    RingWord(bytes_.head).store(++head_, std::memory_order_release);
    return head_;
}

std::vector<PendingUse> UseRing::pending_oldest(std::size_t most) const {
    const std::lock_guard guard(mutex_);
    const std::uint64_t first = settled() + 1;
    std::vector<PendingUse> uses;
    for (std::uint64_t number = first; number <= head_ && uses.size() < most; ++number) {
        uses.push_back({number, bytes_.uses[place_of(number)].id(), key_paths_[index_of(number)]});
    }
    return uses;
}

void UseRing::mark_settled(std::uint64_t number) noexcept {
    const std::lock_guard guard(mutex_);
    settled_ = std::max(settled_, number);
}

void UseRing::show_settled(std::uint64_t number) noexcept {
    const std::lock_guard guard(mutex_);
    settled_ = std::max(settled_, number);
    RingWord(bytes_.settled).store(settled(), std::memory_order_release);
}

}  // namespace larder::cache
