// Get: to lease the entry that a key names. No lock, no write to the disk.
#pragma once

#include <steps/held.hpp>
#include <string>
#include <string_view>

namespace larder::steps {

/// A key of a bucket, as its caller said it and as it stands on the disk.
struct Place {
    std::string_view bucket;                 ///< the caller's name
    const std::string& encoded_bucket;
    std::string_view key;
    std::string encoded_key;

    [[nodiscard]] std::string path() const;  ///< from `buckets/`
};

[[nodiscard]] Result<HeldLease> get(const RootRef& root, const Place& place);

}  // namespace larder::steps
