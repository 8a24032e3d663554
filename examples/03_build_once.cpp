// SPDX-License-Identifier: MIT
// Example 3: eight processes want the same thing at the same time, and one of them makes it.
//
// What you learn: get_or_build. It leases the entry of a key; where there is none it calls you to make one, and everybody else
// who asks meanwhile, in this process or another, waits for yours. If the builder dies, the kernel tells the next one, who
// builds.

#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "example.hpp"

using namespace example;

namespace {

constexpr int built = 10, found = 11;  // what a child's exit status says

int want_it(const fs::path& root) {
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("compiled-v1"));
    int status = found;

    const larder::Lease lease =
        value_of(bucket.get_or_build("answer", [&](larder::Staging& stage) -> larder::Result<> {
            // Something expensive. Write into the stage and return; publishing is get_or_build's part. Return an error instead, and
            // nothing is published: the caller gets your error, and the next one who waits tries in turn.
            status = built;
            write_file(stage.path() / "answer.txt", std::to_string(6 * 7) + ", says process " +
                                                        std::to_string(::getpid()) + "\n");
            return {};
        }));

    // Whoever built it, everybody now holds a lease on the same entry.
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
    expect(builders == 1, "one of them built it");
    expect(finders == 7, "seven of them got what that one had built");

    // What fails is reported, and leaves nothing behind.
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
           "a build's own error comes back: " + failed.error().message());
    expect(!bucket.get("broken"), "and nothing was published");

    // A build may need other entries, and ask for them with get_or_build as well: for any key but its own.
    const larder::Lease outer =
        value_of(bucket.get_or_build("question", [&](larder::Staging& stage) -> larder::Result<> {
            const auto answer = bucket.get_or_build(
                "answer", [](larder::Staging&) -> larder::Result<> { return {}; });
            if (!answer) return tl::unexpected(answer.error());
            write_file(stage.path() / "question.txt",
                       "What is " + read_file(answer->path() / "answer.txt"));
            return {};
        }));
    expect(read_file(outer.path() / "question.txt").starts_with("What is 42"),
           "a build that used another entry");
    return 0;
}
