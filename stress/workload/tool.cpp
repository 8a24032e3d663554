// SPDX-License-Identifier: MIT
#include "stress/workload/tool.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <spawn.h>
#include <thread>

#include "os/fd.hpp"
#include "stress/content/tree.hpp"

extern char** environ;

namespace larder::stress {

namespace {

constexpr auto never_killed = std::chrono::steady_clock::time_point::max();

constexpr std::string_view fill_word = "@fill", read_word = "@read",
                           read_alone_word = "@read-alone";

/// Where a builder finds its way to the process whose build it is: a descriptor that a cachetool hands on without knowing of
/// it.
constexpr int builder_fd = 9;

/// A child, and what comes from it.
class SpawnedTool {
public:
    SpawnedTool(pid_t pid, os::Fd out, os::Fd talk)
        : pid_(pid),
          ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
          out_(std::move(out)),
          talk_(std::move(talk)) {}

    /// Until it has ended. At `deadline` it is killed.
    ToolRun watch(std::chrono::steady_clock::time_point deadline,
                  const std::function<void()>& builds) {
        ToolRun ran;
        // Not until the end of its output: a child that another thread forks holds that open for as long as it lives.
        for (bool ended = false; !ended;) {
            std::array<pollfd, 3> ready{
                {{ended_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, {talk_.get(), POLLIN, 0}}};
            (void)::poll(ready.data(), ready.size(), wait_ms(deadline));
            ended = (ready[0].revents & POLLIN) != 0 || !ended_;
            if (ready[1].revents != 0) take_output(ran.out);
            if (ready[2].revents != 0) answer(builds);
        }
        while (take_output(ran.out)) {
        }
        ran.code = code();
        return ran;
    }

private:
    int wait_ms(std::chrono::steady_clock::time_point& deadline) {
        if (deadline == never_killed) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                              deadline - std::chrono::steady_clock::now())
                              .count();
        if (left > 0) return static_cast<int>(left);
        ::kill(pid_, SIGKILL);
        killed_ = true;
        deadline = never_killed;
        return -1;
    }

    /// False where there is none now, or none any more.
    bool take_output(std::string& text) {
        char buffer[4096];
        const auto got = out_ ? ::read(out_.get(), buffer, sizeof buffer) : 0;
        if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
        if (got == 0) out_.reset();
        return got > 0;
    }

    void answer(const std::function<void()>& builds) {
        char word = 0;
        if (::read(talk_.get(), &word, 1) != 1) return talk_.reset();
        // The builder of one that was killed may begin later than its lock has ended: what others build by then is not built twice.
        if (builds && !killed_) builds();
        (void)!::write(talk_.get(), "!", 1);
    }

    int code() const {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0) {
            if (errno != EINTR) return 1;
        }
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

    pid_t pid_;
    bool killed_ = false;
    os::Fd ended_, out_, talk_;
};

ToolRun run(const std::vector<std::string>& command, std::chrono::steady_clock::time_point deadline,
            const std::function<void()>& builds) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    int out[2], talk[2];
    if (::pipe2(out, O_CLOEXEC) != 0) return {1, {}, false};
    os::Fd from(out[0]), to(out[1]);
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0) return {1, {}, false};
    os::Fd ours(talk[0]), theirs(talk[1]);
    (void)::fcntl(from.get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), builder_fd);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return {1, std::strerror(error), false};
    to.reset();
    theirs.reset();
    return SpawnedTool(pid, std::move(from), std::move(ours)).watch(deadline, builds);
}

/// Tells the process whose build this is that it begins, and waits until that has written it down.
bool announce_build() {
    char word = '!';
    return ::write(builder_fd, &word, 1) == 1 && ::read(builder_fd, &word, 1) == 1;
}

std::uint64_t number_of(const char* text) { return std::strtoull(text, nullptr, 10); }

int fill(char** words) {
    const char* const stage = std::getenv("LARDER_STAGE");
    const auto size = tree_size_of(words[3]);
    if (stage == nullptr || !size || !announce_build()) return 1;
    const TreeIdentity identity{static_cast<std::uint32_t>(number_of(words[0])),
                                static_cast<std::uint32_t>(number_of(words[1])),
                                number_of(words[2]), *size};
    return write_tree(stage, identity) ? 0 : 1;
}

/// As many programs do before they begin; among what they close is the lock of those who run them. Then lets others do what they
/// should not.
void be_alone() {
    for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) ::close(fd);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

int read(char** words) {
    const char* const entry = std::getenv("LARDER_ENTRY");
    if (entry == nullptr) return 1;
    const auto reading = read_tree(entry, {static_cast<std::uint32_t>(number_of(words[0])),
                                           static_cast<std::uint32_t>(number_of(words[1])),
                                           {}});
    if (!reading) return 1;
    fmt::print("{}", reading->sound() ? std::to_string(reading->version) : reading->damage);
    return reading->sound() ? 0 : reader_found_damage;
}

}  // namespace

ToolRun run_cachetool(Actor& actor, const std::vector<std::string>& command,
                      const std::vector<std::string>& words, const std::function<void()>& builds) {
    std::vector<std::string> line{actor.setting().cachetool, "--cache", actor.setting().cache,
                                  "--json"};
    line.insert(line.end(), command.begin(), command.end());
    line.emplace_back("--");
    line.insert(line.end(), words.begin(), words.end());
    auto deadline = never_killed;
    if (actor.random.chance(actor.scenario().measure_of("tool-kill"))) {
        // It takes some ten milliseconds from its start to its end.
        deadline = std::chrono::steady_clock::now() +
                   std::chrono::microseconds(actor.random.between(0, 15'000));
    }
    auto ran = run(line, deadline, builds);
    if (deadline != never_killed && ran.was_killed()) ++actor.process.board.tally_of("tool-kill");
    return ran;
}

std::vector<std::string> builder_command(const RunSetting& setting, std::uint32_t bucket,
                                         std::uint32_t key, Version version) {
    return {
        setting.self,        std::string(fill_word),  std::to_string(bucket),
        std::to_string(key), std::to_string(version), std::string(name_of(setting.scenario.tree))};
}

std::vector<std::string> reader_command(const RunSetting& setting, std::uint32_t bucket,
                                        std::uint32_t key, bool alone) {
    return {setting.self, std::string(alone ? read_alone_word : read_word), std::to_string(bucket),
            std::to_string(key)};
}

bool is_helper(int argc, char** argv) {
    return (argc == 6 && argv[1] == fill_word) ||
           (argc == 4 && (argv[1] == read_word || argv[1] == read_alone_word));
}

int run_helper(int, char** argv) {
    if (argv[1] == fill_word) return fill(argv + 2);
    if (argv[1] == read_alone_word) be_alone();
    return read(argv + 2);
}

}  // namespace larder::stress
