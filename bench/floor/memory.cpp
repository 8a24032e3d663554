// Memory, which must not grow with the cache.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "cache.hpp"
#include "rows.hpp"

namespace bench {

namespace {

/// The memory of its own of a process which opens, gets, puts and refreshes in this cache.
long memory_of_use(const fs::path& root) {
    auto* const shared = static_cast<long*>(::mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (shared == MAP_FAILED) give_up("no memory");
    const pid_t pid = ::fork();
    if (pid < 0) give_up("can't fork");
    if (pid == 0) {
        struct Pages {
            long resident = 0;
            Pages() {
                std::FILE* const file = std::fopen("/proc/self/statm", "re");
                long size = 0;
                if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &resident) != 2) give_up("no /proc/self/statm");
                std::fclose(file);
            }
        };
        const Pages before;
        const Opened opened(root);
        (void)opened.bucket.get(key_name(7));
        (void)value(opened.bucket.publish("new", value(opened.bucket.stage())));
        value(opened.bucket.refresh());
        *shared = (Pages().resident - before.resident) * ::sysconf(_SC_PAGESIZE);
        ::_exit(0);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0) give_up("a process of the benchmark has failed");
    const long bytes = *shared;
    ::munmap(shared, sizeof(long));
    return bytes;
}

}  // namespace

long memory_growth(const fs::path& directory, unsigned keys) {
    const fs::path few = directory / "memory-few", many = directory / "memory-many";
    for (const auto& [root, size] : {std::pair{few, 100u}, std::pair{many, keys}}) {
        make_cache(root, 0);
        fs::remove(root / "buckets" / "bench-v1");
        fill_bucket(root, "bench-v1", size);
    }
    return memory_of_use(many) - memory_of_use(few);
}

}  // namespace bench
