// SPDX-License-Identifier: MIT
#include "stress/system/error.hpp"

#include "os/error.hpp"

namespace larder::stress {

tl::unexpected<Error> failure(const std::error_code& reason, const char* step,
                              std::filesystem::path path) {
    return os::fail(reason, step, std::move(path));
}

tl::unexpected<Error> failure(Errc code, const char* step, std::filesystem::path path,
                              std::string detail) {
    return larder::fail(code, step, std::move(path), std::move(detail));
}

std::error_code reason_of(const Error& error) noexcept {
    return {error.sys_errno, std::generic_category()};
}

bool is_out_of_resources(const std::error_code& reason) noexcept {
    return reason == std::errc::too_many_files_open ||
           reason == std::errc::too_many_files_open_in_system ||
           reason == std::errc::not_enough_memory;
}

}  // namespace larder::stress
