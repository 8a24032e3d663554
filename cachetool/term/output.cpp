// SPDX-License-Identifier: MIT
#include "cachetool/term/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <optional>

#include "cachetool/term/colour.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// What a signal interrupts is written again: stdio would give up, and lose what it had buffered.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno != EINTR) return false;
        if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

void write_line(std::string_view sentence, std::optional<Colour> colour = std::nullopt) {
    // One write for the whole line: the lines of several processes on one terminal don't mix.
    const auto name = colour ? coloured("cachetool:", *colour, STDERR_FILENO) : "cachetool:";
    const std::string line = fmt::format("{} {}\n", name, harmless(sentence));
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
}

}  // namespace

void Output::say(std::string_view sentence) const {
    if (!quiet_) write_line(sentence);
}

void Output::warn(std::string_view sentence) const { write_line(sentence, Colour::yellow); }

int Output::tell(const Failure& failure) const {
    write_line(failure.message, Colour::red);
    if (json_ && failure.code != "output") {
        if (const auto written = document(json_of(failure)); !written)
            write_line(written.error().message, Colour::red);
    }
    return failure.exit_code;
}

Outcome Output::text(std::string_view text, int exit_code) const {
    // A full disk may show itself only at the close, which is not to be made again where a signal interrupts it.
    const int copy = write_all(STDOUT_FILENO, text) ? ::dup(STDOUT_FILENO) : -1;
    if (copy >= 0 && (::close(copy) == 0 || errno == EINTR)) return exit_code;
    auto failure = fail_system("write to standard output", errno);
    failure.value().code = "output";
    return failure;
}

Outcome Output::document(const Json& document, int exit_code) const {
    // JSON is UTF-8, a path may be any bytes: those that are not UTF-8 become U+FFFD.
    return text(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", exit_code);
}

std::string Output::line_of(const Json& document) {
    return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void prepare_standard_streams() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        // The lowest free number is fd. Open it the wrong way round: using it fails, as using a closed one would.
        static_cast<void>(
            ::open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC));
    }
    // A handler, not SIG_IGN: exec puts the default back, so that the programs we run still die of a broken pipe.
    if (std::signal(SIGPIPE, [](int) {}) == SIG_IGN) std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace cachetool
