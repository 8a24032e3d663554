// SPDX-License-Identifier: MIT
#include "os/file_info.hpp"

namespace larder::os {

std::chrono::system_clock::time_point FileTime::to_clock() const noexcept {
    using std::chrono::system_clock;
    // Compare whole seconds: the clock counts smaller units, in which the seconds may not fit.
    constexpr auto first = std::chrono::floor<std::chrono::seconds>(system_clock::duration::min());
    constexpr auto last = std::chrono::floor<std::chrono::seconds>(system_clock::duration::max());
    if (seconds <= first.count()) return system_clock::time_point::min();
    if (seconds >= last.count()) return system_clock::time_point::max();
    return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
        std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds)));
}

FileTime FileTime::from_clock(std::chrono::system_clock::time_point time) noexcept {
    const auto since_1970 = time.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since_1970);
    const std::chrono::nanoseconds rest = since_1970 - whole;
    return {.seconds = whole.count(), .nanoseconds = static_cast<std::uint32_t>(rest.count())};
}

Result<FileInfo> stat_at(const Dir& parent, const std::string& name) {
    const auto info = try_stat_at(parent, name.c_str());
    if (!info) return fail(info.error(), "look at", parent / name);
    return *info;
}

Result<FileInfo> stat_of(const Dir& dir) {
    const auto info = try_stat(dir.handle);
    if (!info) return fail(info.error(), "look at", dir.path);
    return *info;
}

CallResult<bool> exists_at(const Dir& parent, const std::string& name) noexcept {
    const auto info = try_stat_at(parent, name.c_str());
    if (!info && why_of(info) != Why::absent) return tl::unexpected(info.error());
    return info.has_value();
}

Result<bool> is_dir_at(const Dir& parent, const std::string& name) {
    if (!parent.is_open()) return false;
    const auto info = stat_at(parent, name);
    if (is_absent(info)) return false;
    TRY(info);
    if (!info->is_directory()) {
        return fail(Errc::damaged, "look at", parent / name,
                    "a directory should be here; move away what stands here, or let "
                    "`cachetool verify --repair` do it");
    }
    return true;
}

}  // namespace larder::os
