// SPDX-License-Identifier: MIT
// A reference to a key of a bucket: the names that the caller gave, and the path on the disk. A
// variable of this type is called `place`, because it says where the key's link stands.
#pragma once

#include <string>
#include <string_view>

namespace larder::protocol {

/// Refers to strings of the caller, which outlive it. `path` always begins with `encoded_bucket`.
struct KeyRef {
    std::string_view bucket;            ///< as the caller wrote it
    const std::string& encoded_bucket;  ///< the name of the bucket's directory
    std::string_view key;               ///< as the caller wrote it
    std::string path;                   ///< "<bucket>/<key>", encoded, below `buckets/`

    /// Returns the name of the link in its bucket.
    [[nodiscard]] std::string_view encoded_key() const {
        return std::string_view(path).substr(encoded_bucket.size() + 1);
    }
};

}  // namespace larder::protocol
