// SPDX-License-Identifier: MIT
#include "cachetool/options/number.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace larder::options {

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<double> decimal_number(std::string_view text) {
    // strtod would also accept spaces before the number, hexadecimal numbers, and words such as
    // "inf". (Not every standard library has from_chars for a double.)
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
        return std::nullopt;
    const std::string copy(text);
    char* end = nullptr;
    const double number = std::strtod(copy.c_str(), &end);
    if (end != copy.c_str() + copy.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

}  // namespace larder::options
