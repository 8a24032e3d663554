// SPDX-License-Identifier: MIT
// Lease tables: whatever the file holds, a reader invents no lease and loses none.

#include "cache/lease_table.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "os/posix/fd.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;

namespace {

constexpr std::size_t page = 4096, table_size = 4 * page, ring_at = 2 * page;

/// Makes a file in memory that holds just these bytes.
const os::FileHandle& file_of(std::string_view bytes) {
    static const os::Fd fd(::memfd_create("lease table", MFD_CLOEXEC));
    must(fd && ::ftruncate(fd.get(), 0) == 0, "there is a file");
    must(::pwrite(fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
         "it can be written");
    return fd;
}

format::Id id_at(std::string_view bytes, std::size_t at) {
    format::TableId words;
    std::memcpy(&words, bytes.data() + at, sizeof words);
    return words.id();
}

void check(std::string_view bytes) {
    const auto table = cache::read_table(file_of(bytes), "table");
    if (!table) {
        must(table.error().code == Errc::damaged && bytes.size() >= table_size,
             "only a whole table can be damaged");
        return;
    }
    if (bytes.size() < table_size) {
        must(!table->announced && table->leases.empty(),
             "a table that is not whole has never held a lease");
        return;
    }
    std::vector<format::Id> leases;
    for (std::size_t at = page; at < ring_at; at += sizeof(format::TableId)) {
        if (const format::Id id = id_at(bytes, at)) leases.push_back(id);
    }
    must(table->leases == leases, "every slot that is not zero is a lease");
    format::TableWord words[2];  // the head, and what is settled
    std::memcpy(words, bytes.data() + ring_at, sizeof words);
    must(table->head == words[0] && (words[0] != words[1] || table->uses.empty()),
         "a ring that is settled has no use");
    must(table->uses.size() <= format::uses_per_table, "a ring has no more uses than places");
    for (const auto& use : table->uses) {
        bool stands = false;
        for (std::size_t at = ring_at + sizeof words; at < table_size; at += sizeof use)
            stands = stands || id_at(bytes, at) == use;
        must(use && stands, "a use stands in the ring");
    }
    must(table->command.size() <= 432 && table->activities.size() <= 56,
         "what is read fits into the table");
    for (const auto& activity : table->activities)
        must(activity.lock != 0 && activity.label.size() <= 32, "an activity has a lock");
    (void)os::is_running(table->process);  // whichever process it names
}

}  // namespace

/// Reads the bytes as they are, and then as the beginnings of the first two pages of a table and of
/// its ring.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = text_of(data, size);
    check(bytes);
    std::string whole(table_size, '\0');
    const std::size_t first = std::min(size, page), second = std::min(size - first, page);
    const std::size_t third = std::min(size - first - second, table_size - ring_at);
    std::memcpy(whole.data(), data, first);
    std::memcpy(whole.data() + page, data + (second == 0 ? 0 : first),
                second == 0 ? first : second);
    std::memcpy(whole.data() + ring_at, data + (third == 0 ? 0 : first + second),
                third == 0 ? first : third);
    check(whole);
    const auto magic = std::string_view("lardtbl2");
    std::memcpy(whole.data(), magic.data(), magic.size());
    check(whole);
    must(cache::wipe_table(file_of(whole), "table").has_value(), "any table can be wiped");
    const auto wiped = cache::read_table(file_of(std::string(table_size, '\0')), "table");
    must(wiped && !wiped->announced && wiped->leases.empty(), "a wiped table has no owner");
    return 0;
}
