// A place in a cache: a key of a bucket, as its caller said it and as it stands on the disk.
#pragma once

#include <layout/layout.hpp>
#include <string>
#include <string_view>

namespace larder::steps {

struct Place {
    std::string_view bucket;  ///< the caller's name
    const std::string& encoded_bucket;
    std::string_view key;
    std::string encoded_key;
    std::string path = layout::key_path(encoded_bucket, encoded_key);  ///< from `buckets/`
};

}  // namespace larder::steps
