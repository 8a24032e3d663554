// SPDX-License-Identifier: MIT
#include "cachetool/doctor/scratch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, signals.size()> before;
volatile std::sig_atomic_t came = 0;

void note_signals() {
    for (std::size_t i = 0; i < signals.size(); ++i) {
        ::sigaction(signals[i], nullptr, &before[i]);
        if (before[i].sa_handler == SIG_IGN) continue;  // as under nohup
        struct sigaction noting {};
        noting.sa_handler = [](int signal) { came = signal; };
        ::sigaction(signals[i], &noting, nullptr);
    }
}

void restore_signals() {
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before[i], nullptr);
    if (came != 0) std::raise(came);
}

}  // namespace

fs::path place_for_probing(const fs::path& root) {
    std::error_code error;
    fs::path place = root;
    while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
    if (place != root) return place;
    const bool is_cache =
        fs::exists(root / "format", error) || fs::exists(root / "CACHEDIR.TAG", error);
    if (!is_cache && !(fs::is_directory(root, error) && fs::is_empty(root, error))) return root;
    const auto beside = root.parent_path();
    struct stat inside {
    }, outside{};
    const bool same = ::stat(root.c_str(), &inside) == 0 && ::stat(beside.c_str(), &outside) == 0 &&
                      inside.st_dev == outside.st_dev;
    return same && ::access(beside.c_str(), W_OK | X_OK) == 0 ? beside : root;
}

tl::expected<Scratch, Failure> Scratch::make_in(const fs::path& directory) {
    // Before it is made: a signal in between would leave it behind.
    note_signals();
    std::string path = directory / "larder-doctor-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) return Scratch(path);
    auto failure =
        fail_system(fmt::format("make a directory in {} to probe in", directory.string()), errno);
    failure.value().path = directory;
    restore_signals();
    return failure;
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}

std::error_code Scratch::remove() {
    if (path_.empty()) return {};
    std::error_code error;
    fs::remove_all(std::exchange(path_, {}), error);
    restore_signals();
    return error;
}

bool Scratch::is_interrupted() noexcept { return came != 0; }

}  // namespace cachetool::doctor
