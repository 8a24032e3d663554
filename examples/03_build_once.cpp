// SPDX-License-Identifier: MIT
// Example 3: eight processes want the same entry at the same time, and one of them builds it.
//
// What you learn: get_or_build takes a lease on the entry of a key. If there is no entry, it calls
// your function to build one. All other threads and processes that ask meanwhile wait for it. If
// the builder dies, the kernel wakes one of them, which then builds.

#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "example.hpp"

using namespace example;

namespace {

// The exit status of a child says what it did.
constexpr int built = 10, found = 11;

int want_it(const fs::path& root) {
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("compiled-v1"));
    int status = found;

    const larder::Lease lease =
        value_of(bucket.get_or_build("answer", [&](larder::Staging& stage) -> larder::Result<> {
            // This is the expensive work. Write into the stage and return; get_or_build publishes.
            // If you return an error, nothing is published. The caller gets your error, and one of
            // the processes that wait builds next.
            status = built;
            write_file(stage.path() / "answer.txt", std::to_string(6 * 7) + ", says process " +
                                                        std::to_string(::getpid()) + "\n");
            return {};
        }));

    // Now all eight processes hold a lease on the same entry.
    if (!read_file(lease.path() / "answer.txt").starts_with("42, says process ")) return 1;
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path root = playground(argc, argv) / "cache";

    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(want_it(root));
        expect(child > 0, "process " + std::to_string(child) + " wants the answer");
        children.push_back(child);
    }

    int builders = 0, finders = 0;
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == built) ++builders;
        if (WIFEXITED(status) && WEXITSTATUS(status) == found) ++finders;
    }
    expect(builders == 1, "one of them built the entry");
    expect(finders == 7, "seven of them got the entry that it built");

    // A build that fails is reported, and publishes nothing.
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("compiled-v1"));
    const auto failed =
        bucket.get_or_build("broken", [](larder::Staging& stage) -> larder::Result<> {
            write_file(stage.path() / "half", "of it");
            return tl::unexpected(larder::Error{.code = larder::Errc::refused,
                                                .step = "compile",
                                                .path = "broken.c",
                                                .detail = "syntax error"});
        });
    expect(!failed && failed.error().step == std::string_view("compile"),
           "the caller gets the build's own error: " + failed.error().message());
    expect(!bucket.get("broken"), "and nothing was published");

    // A build may use get_or_build for other entries, but not for its own key.
    const larder::Lease outer =
        value_of(bucket.get_or_build("question", [&](larder::Staging& stage) -> larder::Result<> {
            LARDER_TRY_ASSIGN(const larder::Lease answer,
                              bucket.get_or_build("answer", [](larder::Staging&) {
                                  return larder::Result<>{};  // never called: the entry exists
                              }));
            write_file(stage.path() / "question.txt",
                       "What is " + read_file(answer.path() / "answer.txt"));
            return {};
        }));
    expect(read_file(outer.path() / "question.txt").starts_with("What is 42"),
           "a build used another entry");
    return 0;
}
