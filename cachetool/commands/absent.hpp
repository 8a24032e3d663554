// SPDX-License-Identifier: MIT
// What a command says if a bucket or a key is not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <larder/cache.hpp>

#include "cachetool/term/failure.hpp"

namespace cachetool {

/// Returns "no bucket wheels; did you mean wheels-v1?", or what else may help. `buckets` are those
/// that there are.
[[nodiscard]] std::string no_bucket_sentence(std::string_view bucket,
                                             const std::vector<std::string>& buckets);

/// Returns the failure of a command that names a bucket which is not there.
[[nodiscard]] Failure no_bucket_failure(std::string_view bucket,
                                        const std::vector<std::string>& buckets);

/// Returns whether the cache holds no entry, and nothing in its trash.
[[nodiscard]] bool is_empty(const larder::Cache& cache);

/// Fails if the cache has no such bucket, or if there can be none of that name.
[[nodiscard]] Expected<> require_bucket(const larder::Cache& cache, const std::string& bucket);

/// Returns the failure of an operation on one key. A miss names the bucket that is not there, or
/// the key. On a terminal it also says which key was probably meant. (That costs a list of all
/// keys, and for a script a miss is nothing special.)
[[nodiscard]] Failure failure_for_key(const larder::Cache& cache, const larder::Error& error,
                                      const std::string& bucket, const std::string& key);

/// Returns the same for a miss.
[[nodiscard]] Failure failure_for_miss(const larder::Cache& cache, const std::string& bucket,
                                       const std::string& key);

}  // namespace cachetool
