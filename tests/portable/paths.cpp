// SPDX-License-Identifier: MIT
// The C interface has paths as the system has them, and in UTF-8 on Windows.

#include <cstring>
#include <memory>

#include <larder/larder.h>

#include "catch.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Letters of one, two, three and four bytes.
const std::string odd_name = "a\xc3\xa9\xe6\x97\xa5\xf0\x9f\xa6\x80";

/// Returns the bytes of a path, in UTF-8 on Windows.
std::string text_of(const fs::path& path) {
    const auto text = path.u8string();
    return {text.begin(), text.end()};
}

fs::path path_of(const std::string& text) { return std::u8string(text.begin(), text.end()); }

/// Fails the test, with the error's message, unless `code` is LARDER_OK.
void must(larder_code code, larder_error* error) {
    const std::string message = error != nullptr ? error->message : "";
    larder_error_free(error);
    if (code != LARDER_OK) FAIL(message);
}

}  // namespace

TEST_CASE("a path of letters that are not ASCII goes into C and comes back") {
    const TempDir dir;
    const std::string root = text_of(dir.path() / path_of(odd_name));
    larder_error* error = nullptr;
    larder_cache* cache = nullptr;
    must(larder_cache_open(root.c_str(), nullptr, &cache, &error), error);
    CHECK(larder_cache_root(cache) == root);
    CHECK(fs::exists(dir.path() / path_of(odd_name) / "format"));

    larder_bucket* bucket = nullptr;
    must(larder_cache_bucket(cache, "b", &bucket, &error), error);
    larder_staging* staging = nullptr;
    must(larder_bucket_stage(bucket, &staging, &error), error);
    CHECK(std::string(larder_staging_path(staging)).starts_with(root));
    write_file(path_of(larder_staging_path(staging)) / path_of(odd_name), "text");
    const std::string digest(32, 'd');
    must(larder_staging_note(staging, odd_name.c_str(), 4, digest.data(), digest.size(), &error),
         error);
    larder_staging_free(staging);
    staging = nullptr;

    const fs::path source = dir.path() / path_of("source " + odd_name);
    fs::create_directory(source);
    write_file(source / path_of(odd_name), "text");
    must(larder_bucket_stage(bucket, &staging, &error), error);
    must(larder_staging_copy_from(staging, text_of(source).c_str(), &error), error);
    larder_lease* lease = nullptr;
    must(larder_bucket_publish(bucket, "key", staging, nullptr, &lease, &error), error);
    CHECK(read_file(path_of(larder_lease_path(lease)) / path_of(odd_name)) == "text");

    const std::string target = text_of(dir.path() / path_of("target " + odd_name));
    must(larder_materialize(larder_lease_path(lease), target.c_str(), nullptr, nullptr, &error),
         error);
    CHECK(read_file(path_of(target) / path_of(odd_name)) == "text");
    CHECK(larder_materialize(larder_lease_path(lease), target.c_str(), nullptr, nullptr, &error) !=
          LARDER_OK);
    REQUIRE(error != nullptr);
    CHECK(std::string(error->path).find(odd_name) != std::string::npos);
    CHECK(std::string(error->message).find(odd_name) != std::string::npos);
    larder_error_free(error);
    error = nullptr;

    larder_entry_info* info = nullptr;
    must(larder_bucket_info(bucket, "key", &info, &error), error);
    CHECK(std::string(info->path) == larder_lease_path(lease));
    larder_entry_info_free(info);

    // What the caller's own error says comes back as it was.
    larder_error* own = larder_error_new(LARDER_BUILD, 0, odd_name.c_str(), "detail");
    CHECK(own->path == odd_name);
    larder_error_free(own);
    larder_lease_free(lease);
    larder_bucket_free(bucket);

    // A report names a file that is not larder's.
    write_file(path_of(root) / "archive" / path_of(odd_name), "");
    larder_verify_report* report = nullptr;
    must(larder_cache_verify(cache, nullptr, &report, &error), error);
    REQUIRE(report->finding_count == 1);
    CHECK(report->findings[0]->path == text_of(path_of(root) / "archive" / path_of(odd_name)));
    larder_verify_report_free(report);
    larder_cache_close(cache);
}
