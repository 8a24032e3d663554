// SPDX-License-Identifier: MIT
// A place in a cache: a key of a bucket, as its caller said it and as it stands on the disk.
#pragma once

#include <string>
#include <string_view>

namespace larder::protocol {

struct KeyRef {
    std::string_view bucket;  ///< the caller's name
    const std::string& encoded_bucket;
    std::string_view key;
    std::string path;  ///< from `buckets/`

    [[nodiscard]] std::string_view encoded_key() const {
        return std::string_view(path).substr(encoded_bucket.size() + 1);
    }
};

}  // namespace larder::protocol
