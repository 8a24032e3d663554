// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "cachetool/doctor/parts.hpp"
#include "cachetool/doctor/probes.hpp"
#include "cachetool/options/number.hpp"
#include "cachetool/system/file_lock.hpp"
#include "cachetool/system/other_process.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/shared_page.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;
using system::LockableFile;
using system::OtherProcess;
using system::SharedPage;

bool is_locked_by_another(std::error_code error) {
    return error == std::errc::resource_unavailable_try_again ||
           error == std::errc::permission_denied;
}

/// What a lock covers: one byte, or the whole file.
using LockedPart = std::optional<std::uint64_t>;

/// Two bytes like those that larder locks. They differ in one of the highest bits, which says the
/// kind of the lock. A file system that leaves such bits out takes the two for one.
constexpr std::uint64_t high_byte = (std::uint64_t{1} << 62) - 1;
constexpr std::uint64_t other_byte = high_byte - (std::uint64_t{1} << 61);

bool act_hold_lock(const std::vector<std::string>& words) {
    static LockableFile held(system::path_of(words.at(0)));  // for as long as the process lives
    LockedPart part;
    if (words.size() > 1) part = larder::options::whole_number(words[1]);
    return !held.try_lock(part);
}

/// Judges locks: what a second process meets while the first holds one, and after it has died.
ProbeResult judged_locks(const fs::path& file, LockedPart part) {
    // Each process opens the file for itself: a descriptor that a child inherits shares the lock of
    // the open file.
    std::vector<std::string> words{system::text_of(file)};
    if (part) words.push_back(std::to_string(*part));
    OtherProcess holder(hold_lock, words);
    if (!holder.succeeded()) return {{}, ProbeVerdict::broken, "can't be taken", {}};
    LockableFile ours(file);
    const auto while_held = ours.try_lock(part);
    const auto beside = part ? ours.try_lock(other_byte) : std::error_code();
    holder.crash();
    // Windows frees the locks of a process that was ended a moment later.
    auto afterwards = ours.try_lock(part);
    for (int tries = 0; tries < 100 && is_locked_by_another(afterwards); ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        afterwards = ours.try_lock(part);
    }
    if (!while_held) return {{}, ProbeVerdict::broken, "let two processes in at once", {}};
    if (!is_locked_by_another(while_held))
        return {{}, ProbeVerdict::broken, while_held.message(), {}};
    if (is_locked_by_another(beside))
        return {{}, ProbeVerdict::broken, "take different bytes for one", {}};
    if (beside) return {{}, ProbeVerdict::broken, beside.message(), {}};
    if (afterwards) return {{}, ProbeVerdict::broken, "outlive the process that held them", {}};
    return {{}, ProbeVerdict::ok, "keep others out, and end with their process", {}};
}

void probe_locks(const fs::path& file, LockedPart part, const char* name, const char* effect,
                 ProbeResults& results) {
    auto result = judged_locks(file, part);
    result.name = name;
    if (result.verdict != ProbeVerdict::ok) result.effect = effect;
    results.push_back(std::move(result));
}

constexpr std::uint64_t memory_question = 4711, memory_answer = 4712;

bool act_answer_in_memory(const std::vector<std::string>& words) {
    const SharedPage own(system::path_of(words.at(0)), SharedPage::Start::as_it_is);
    if (own.error() || own.word_in_file(0) != memory_question || own.word(0) != memory_question)
        return false;
    own.word(1) = memory_answer;
    return true;
}

/// Judges mapped memory. A lease is a word that one process stores in its mapping. A collector
/// reads it from the file, and another process may find it in its own mapping.
void probe_memory(const fs::path& file, ProbeResults& results) {
    constexpr const char* effect =
        "leases live in mapped memory, and a collection would not see them: choose another file "
        "system";
    const SharedPage page(file, SharedPage::Start::zeroed);
    if (const auto error = page.error()) {
        results.push_back({"shared memory", ProbeVerdict::broken, error.message(), effect});
        return;
    }
    page.word(0) = memory_question;
    const OtherProcess other(answer_in_memory, {system::text_of(file)});
    if (other.succeeded() && page.word(1) == memory_answer &&
        page.word_in_file(1) == memory_answer) {
        results.push_back(
            {"shared memory", ProbeVerdict::ok, "each process sees what the other writes", ""});
    } else {
        results.push_back({"shared memory", ProbeVerdict::broken,
                           "a process does not see what another writes", effect});
    }
}

}  // namespace

const system::ProcessPart hold_lock{"hold-lock", act_hold_lock};
const system::ProcessPart answer_in_memory{"answer-in-memory", act_answer_in_memory};

void probe_processes(const fs::path& scratch, ProbeResults& results) {
    probe_locks(scratch / "byte-lock", high_byte, "locks of bytes",
                "puts and removes of one bucket would not wait for each other: choose another file "
                "system",
                results);
    probe_locks(scratch / "file-lock", std::nullopt, "locks of files",
                "larder could not tell which processes are alive, and so which leases count: "
                "choose another file system",
                results);
    probe_memory(scratch / "memory", results);
}

}  // namespace cachetool::doctor
