// SPDX-License-Identifier: MIT
#include "stress/content/names.hpp"

namespace larder::stress {

std::string bucket_name(std::uint32_t bucket) { return "stress-v" + std::to_string(bucket); }

std::string key_name(std::uint32_t key) {
    const std::string number = std::to_string(key);
    // Key 0 has the only name without a number. All other names differ by their numbers.
    switch (key % 16) {
        case 0:
            return key == 0 ? std::string() : "../../escape/" + number;
        case 3:
            return "-n" + number;
        case 5:
            return "Größe/" + number + "·日本";
        case 7:
            return "UPPER." + number + ".";
        case 11:
            return std::string(300, 'x') + number;
        case 13:
            return "a b%\n" + number;
        default:
            return "package-" + number + "-cp312";
    }
}

}  // namespace larder::stress
