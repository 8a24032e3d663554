// SPDX-License-Identifier: MIT
#include "base/error.hpp"

namespace larder {

tl::unexpected<Error> fail(Errc code, const char* step, std::filesystem::path path,
                           std::string detail) {
    return tl::make_unexpected(Error{code, 0, step, std::move(path), std::move(detail)});
}

bool say_the_same(const Error& one, const Error& other) noexcept {
    return one.code == other.code && one.path == other.path && one.why == other.why &&
           one.detail == other.detail;
}

bool ends_at_once(Why why) noexcept {
    return why == Why::no_space || why == Why::exists || why == Why::absent;
}

}  // namespace larder
