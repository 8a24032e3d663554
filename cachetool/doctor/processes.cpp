// SPDX-License-Identifier: MIT
// What two processes see of each other: locks and mapped memory. Leases and liveness rest on these.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "cachetool/doctor/doctor.hpp"
#include "cachetool/system/other_process.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page = 4096;  // of any machine's at most a page

/// 0 or errno. `command` is F_SETLK, whose lock is the process's, or F_OFD_SETLK, whose lock is the open file's.
int try_lock(int fd, int command) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(fd, command, &whole) == 0 ? 0 : errno;
}

void probe_lock(const fs::path& file, const char* name, int command, const char* effect,
                Probes& probes) {
    // Opened by each process for itself: a descriptor that a child inherits shares the open file's lock.
    const auto open = [&] { return ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); };
    OtherProcess holder([&] { return try_lock(open(), command) == 0; });
    if (!holder.succeeded()) {
        probes.push_back({name, Verdict::broken, "can't be taken", effect});
        return;
    }
    const int fd = open();
    const int kept_out = try_lock(fd, command);
    holder.kill();
    const int after = try_lock(fd, command);
    ::close(fd);
    if (kept_out == 0) {
        probes.push_back({name, Verdict::broken, "let two processes in at once", effect});
    } else if (kept_out != EAGAIN && kept_out != EACCES) {
        probes.push_back(
            {name, Verdict::broken, std::generic_category().message(kept_out), effect});
    } else if (after != 0) {
        probes.push_back({name, Verdict::broken, "outlive the process that held them", effect});
    } else {
        probes.push_back({name, Verdict::ok, "keep others out, and end with their process", ""});
    }
}

std::atomic<std::uint64_t>* map(int fd) {
    void* at = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? nullptr : static_cast<std::atomic<std::uint64_t>*>(at);
}

/// A lease is a word stored in one process's mapping, which a collector reads in the file, and another process may find in its
/// own mapping.
void probe_memory(const fs::path& file, Probes& probes) {
    constexpr const char* effect =
        "leases live in mapped memory: a collection would not see them; choose another file system";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string zeros(page, '\0');
    const bool written =
        ::write(fd, zeros.data(), zeros.size()) == static_cast<ssize_t>(zeros.size());
    auto* words = written ? map(fd) : nullptr;
    if (words == nullptr) {
        probes.push_back(
            {"shared memory", Verdict::broken, std::generic_category().message(errno), effect});
    } else {
        words[0] = 4711;
        const OtherProcess other([&] {
            const int own = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
            std::uint64_t read = 0;
            auto* mapped = map(own);
            if (mapped == nullptr || ::pread(own, &read, sizeof read, 0) != sizeof read ||
                read != 4711 || mapped[0] != 4711)
                return false;
            mapped[1] = 4712;
            return true;
        });
        std::uint64_t read = 0;
        const bool seen = other.succeeded() && words[1] == 4712 &&
                          ::pread(fd, &read, sizeof read, sizeof read) == sizeof read &&
                          read == 4712;
        probes.push_back(seen ? Probe{"shared memory", Verdict::ok,
                                      "each process sees what the other writes", ""}
                              : Probe{"shared memory", Verdict::broken,
                                      "a process does not see what another writes", effect});
        ::munmap(static_cast<void*>(words), page);
    }
    if (fd >= 0) ::close(fd);
}

}  // namespace

void probe_processes(const fs::path& scratch, Probes& probes) {
    probe_lock(
        scratch / "process-lock", "locks of processes", F_SETLK,
        "puts and removes of one bucket would not wait for each other: choose another file system",
        probes);
#ifdef F_OFD_SETLK
    probe_lock(scratch / "file-lock", "locks of open files", F_OFD_SETLK,
               "nobody could tell who is alive, and whose leases count: choose another file system",
               probes);
#endif
    probe_memory(scratch / "memory", probes);
}

}  // namespace cachetool::doctor
