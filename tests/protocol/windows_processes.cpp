// SPDX-License-Identifier: MIT
// Several processes of Windows use one cache, and some of them are killed. Each is this program
// itself, which runs one of the cases that begin with "other:".

#include <algorithm>
#include <memory>

#include "catch.hpp"
#include "support/cache.hpp"
#include "support/windows_process.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

constexpr wchar_t root_variable[] = L"LARDER_TEST_ROOT";

/// A cache that this process and those that it starts use.
struct SharedScene {
    SharedScene() { REQUIRE(::SetEnvironmentVariableW(root_variable, root.c_str())); }

    TempDir dir;
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root);
    Bucket bucket = value(cache.bucket("b"));
};

/// In another process: opens the bucket of the scene.
Bucket shared_bucket() {
    wchar_t root[1024];
    if (::GetEnvironmentVariableW(root_variable, root, 1024) == 0)
        throw std::runtime_error("this case is run by other cases");
    return value(open_cache(root).bucket("b"));
}

/// Collects until an entry was deleted: the system frees the locks of a process that was ended a
/// moment later.
std::uint64_t collect_at_last(const Cache& cache) {
    for (int tries = 0; tries < 1000; ++tries) {
        const auto report = value(cache.collect());
        if (report.entries > 0) return report.entries;
        ::Sleep(10);
    }
    return 0;
}

}  // namespace

TEST_CASE("other: hold a lease", "[.]") {
    const Lease lease = value(shared_bucket().get("k"));
    say_and_wait("leased");
    say_and_stay(content_of(lease));
}

TEST_CASE("other: stage", "[.]") {
    const Bucket bucket = shared_bucket();
    const Staging staging = value(bucket.stage());
    fill(staging.path(), "half");
    say_and_stay("staged");
}

TEST_CASE("other: build", "[.]") {
    const Bucket bucket = shared_bucket();
    std::string done = "found";
    const Lease lease = value(bucket.get_or_build("k", [&](Staging& staging) -> Result<> {
        say_and_wait("building");
        fill(staging.path(), "built");
        done = "built";
        return {};
    }));
    say_and_stay(done + " " + content_of(lease));
}

TEST_CASE("a cache is refused whose locks other users may take") {
    TempDir dir;
    const fs::path root = dir.path() / "cache";
    { const Cache cache = open_cache(root); }
    // An empty list would let no user do anything; none at all lets all users do everything.
    SECURITY_DESCRIPTOR open_to_all{};
    REQUIRE(::InitializeSecurityDescriptor(&open_to_all, SECURITY_DESCRIPTOR_REVISION));
    REQUIRE(::SetSecurityDescriptorDacl(&open_to_all, TRUE, nullptr, FALSE));
    REQUIRE(::SetFileSecurityW((root / "locks").c_str(), DACL_SECURITY_INFORMATION, &open_to_all));
    const auto opened = Cache::open(root);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::refused);
    CHECK(opened.error().path == root / "locks");
}

TEST_CASE("a lease of another process holds through a purge, and ends when it is killed") {
    SharedScene scene;
    (void)put(scene.bucket, "k", "old");
    OtherProcess other(L"\"other: hold a lease\"");
    REQUIRE(other.line() == "leased");
    value(scene.bucket.refresh());
    CHECK_FALSE(scene.bucket.get("k"));
    const auto kept = value(scene.cache.collect());
    CHECK(kept.entries == 0);
    REQUIRE(kept.leased.size() == 1);
    CHECK(kept.leased[0].process.pid == static_cast<std::int64_t>(other.pid()));
    other.go_on();
    CHECK(other.line() == "old");
    other.end();
    CHECK(collect_at_last(scene.cache) == 1);
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(count_entries(scene.root / "archive") == 0);
}

TEST_CASE("what a process has staged is deleted after it was killed") {
    SharedScene scene;
    OtherProcess other(L"\"other: stage\"");
    REQUIRE(other.line() == "staged");
    CHECK(value(scene.cache.collect()).entries == 0);
    other.end();
    CHECK(collect_at_last(scene.cache) == 1);
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(count_entries(scene.root / "archive") == 0);
}

TEST_CASE("of four processes one builds, and the others get what it has built") {
    SharedScene scene;
    OtherProcess builder(L"\"other: build\"");
    REQUIRE(builder.line() == "building");
    std::vector<std::unique_ptr<OtherProcess>> others;
    for (int i = 0; i < 3; ++i)
        others.push_back(std::make_unique<OtherProcess>(L"\"other: build\""));
    builder.go_on();
    CHECK(builder.line() == "built built");
    for (const auto& other : others) CHECK(other->line() == "found built");
}

TEST_CASE("if the process that builds is killed, another one builds") {
    SharedScene scene;
    OtherProcess first(L"\"other: build\"");
    REQUIRE(first.line() == "building");
    OtherProcess second(L"\"other: build\"");
    first.end();
    REQUIRE(second.line() == "building");
    second.go_on();
    CHECK(second.line() == "built built");
    CHECK(content_of(scene.bucket, "k") == "built");
    CHECK(collect_at_last(scene.cache) == 1);  // what the first one has staged
    CHECK(value(scene.cache.verify()).findings.empty());
}
