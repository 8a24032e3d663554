// SPDX-License-Identifier: MIT
// What a test's child becomes by execve: a program that holds only what the kernel kept for it.
//
//   try-file-lock PATH   says whether Boost's file_lock gets the lock
//   try-lock DIR NAME    says whether larder's lock on that file is free
//   use ROOT             uses the cache at ROOT, and stays until it is told to end
//   leave-child          ends, and leaves a child that stays until it is told to end
//   fork-at-first-use ROOT
//                        forks while another thread is in the middle of its first use of the
//                        library; the child uses the cache
//   close-all            closes every descriptor that it did not open, and stays until it is told
//                        to end

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/interprocess/sync/file_lock.hpp>
#include <cstdio>
#include <fstream>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <larder/larder.hpp>

#include "os/file_lock.hpp"
#include "os/points.hpp"
#include "os/process.hpp"

namespace {

int answer(bool got) {
    std::puts(got ? "got" : "refused");
    return 0;
}

int stay() {
    std::puts("ready");
    std::fflush(stdout);
    std::getchar();
    return 0;
}

int try_lock(const std::string& dir_path, const std::string& name) {
    const auto dir = larder::os::open_dir(dir_path);
    if (!dir) return 1;
    const auto lock = larder::os::FileLock::try_lock(*dir, name, larder::os::Mode::exclusive);
    return lock ? answer(lock->has_value()) : 1;
}

int use(const std::string& root) {
    const auto cache = larder::Cache::open(root);
    if (!cache) return 1;
    const auto bucket = cache->bucket("programs");
    auto staging = bucket->stage();
    if (!staging) return 1;
    std::ofstream(staging->path() / "f") << "by a program";
    const auto lease = bucket->publish("k", std::move(*staging));
    if (!lease || !bucket->get("k")) return 1;
    return stay();
}

int leave_child() { return ::fork() == 0 ? stay() : 0; }

int fork_at_first_use(const std::string& root) {
    std::latch in_the_middle(1), go_on(1);
    std::thread first([&] {
        const auto me = std::this_thread::get_id();
        larder::os::set_point_hook([&, me](const char* name) {
            if (std::this_thread::get_id() == me && std::string_view(name) == "os.boot-id") {
                in_the_middle.count_down();
                go_on.wait();
            }
            return 0;
        });
        (void)larder::os::boot_id();
    });
    in_the_middle.wait();
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);  // only a hang lasts that long
        const auto cache = larder::Cache::open(root);
        const auto bucket = cache->bucket("b");
        auto staging = bucket->stage();
        const bool good =
            staging && bucket->publish("k", std::move(*staging)) && bucket->remove("k");
        ::_exit(good ? 0 : 1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    go_on.count_down();
    first.join();
    return answer(status == 0);
}

int close_all() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const int end = limit.rlim_cur < 65'536 ? static_cast<int>(limit.rlim_cur) : 65'536;
    for (int fd = 3; fd < end; ++fd) ::close(fd);
    return stay();
}

}  // namespace

int main(int count, char** values) {
    const std::vector<std::string> words(values + 1, values + count);
    if (words.size() == 2 && words[0] == "try-file-lock") {
        return answer(boost::interprocess::file_lock(words[1].c_str()).try_lock());
    }
    if (words.size() == 3 && words[0] == "try-lock") return try_lock(words[1], words[2]);
    if (words.size() == 2 && words[0] == "use") return use(words[1]);
    if (words.size() == 2 && words[0] == "fork-at-first-use") return fork_at_first_use(words[1]);
    if (words.size() == 1 && words[0] == "leave-child") return leave_child();
    if (words.size() == 1 && words[0] == "close-all") return close_all();
    return 2;
}
