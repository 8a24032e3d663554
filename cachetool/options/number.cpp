// SPDX-License-Identifier: MIT
#include "cachetool/options/number.hpp"

#include <boost/lexical_cast/try_lexical_convert.hpp>
#include <cmath>

namespace larder::options {

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    // Boost would accept a sign as well, and read "-1" as the largest number.
    if (text.find_first_not_of("0123456789") != std::string_view::npos ||
        !boost::conversion::try_lexical_convert(text, number))
        return std::nullopt;
    return number;
}

std::optional<double> decimal_number(std::string_view text) {
    double number = 0;
    if (!boost::conversion::try_lexical_convert(text, number) || !std::isfinite(number))
        return std::nullopt;
    return number;
}

}  // namespace larder::options
