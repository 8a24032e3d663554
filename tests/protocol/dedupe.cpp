// SPDX-License-Identifier: MIT
// Dedupe: equal files of entries share their blocks, and nothing else changes.

#include <sys/stat.h>

#include <map>

#include <larder/content.hpp>

#include "catch.hpp"
#include "scene.hpp"
#include "support/image.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

/// A text of `size` bytes that has no text of another seed in it.
std::string text_of(unsigned seed, std::size_t size) {
    std::string text;
    while (text.size() < size) text += std::to_string(seed) + "-" + std::to_string(text.size());
    text.resize(size);
    return text;
}

Bucket bucket_of(const Cache& cache) { return value(cache.bucket("b")); }

using Texts = std::map<std::string, std::string>;

/// Publishes an entry with these files, with digests. Returns its tree.
fs::path put_files(const Bucket& bucket, const std::string& key, const Texts& files,
                   const DigestAlgorithm* digest = &sha256()) {
    Staging staging = value(bucket.stage());
    for (const auto& [name, text] : files) {
        fs::create_directories((staging.path() / name).parent_path());
        write_file(staging.path() / name, text);
    }
    PublishOptions options;
    options.digest = digest;
    return value(bucket.publish(key, std::move(staging), options)).path();
}

/// Calls `test(cache)` on each file system on which files can share blocks, with all data on the
/// disk. Says so if there is none.
template <class Test>
void on_disks_with_shared_blocks(Test test) {
    bool has_run = false;
    for (const std::string type : {"btrfs", "xfs"}) {
        const TempDir dir;
        const MountedImage disk(dir.path(), type);
        if (!disk) continue;
        INFO("on " << type);
        test(open_cache(disk.top() / "cache"));
        has_run = true;
    }
    if (!has_run) WARN("skipped: no btrfs and no xfs can be mounted here");
}

/// All that may not change: contents, mode and times.
std::string all_of(const fs::path& file) {
    struct stat status {};
    REQUIRE(::lstat(file.c_str(), &status) == 0);
    return read_file(file) + "|" + std::to_string(status.st_mode) + "|" +
           std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) +
           "|" + std::to_string(status.st_nlink);
}

constexpr std::size_t big = 300'000;

}  // namespace

TEST_CASE("dedupe lets equal files share their blocks, and changes nothing else") {
    on_disks_with_shared_blocks([](const Cache& cache) {
        const Bucket bucket = bucket_of(cache);
        std::map<fs::path, std::string> before;
        for (unsigned version = 0; version < 3; ++version) {
            const Texts files = {{"same", text_of(1, big)},
                                 {"deep/er/same", text_of(2, big)},
                                 {"own", text_of(10 + version, big)},
                                 {"small", "text"},
                                 {"empty", ""}};
            const fs::path tree = put_files(bucket, std::to_string(version), files);
            fs::permissions(tree / "same", version == 0 ? fs::perms(0600) : fs::perms(0755));
            for (const auto& [name, text] : files) before[tree / name] = all_of(tree / name);
        }
        const Lease leased = value(bucket.get("1"));

        auto report = value(cache.dedupe());
        CHECK(report.entries == 3);
        CHECK(report.files == 4);
        CHECK(report.bytes == 4 * big);
        CHECK(report.shared_before == 0);
        CHECK(report.freed >= 4 * big);
        CHECK(report.freed < 4 * (big + 4096));
        CHECK_FALSE(report.ended_early);
        CHECK(report.failures.empty());
        for (const auto& [file, all] : before) CHECK(all_of(file) == all);

        report = value(cache.dedupe());
        CHECK(report.files == 0);
        CHECK(report.freed == 0);
        CHECK(report.shared_before == 4);
    });
}

TEST_CASE("dedupe in parts shares what it shares at once") {
    on_disks_with_shared_blocks([](const Cache& cache) {
        const Bucket bucket = bucket_of(cache);
        for (const char* key : {"a", "b"}) {
            Texts files;
            for (unsigned i = 0; i < 20; ++i) files[std::to_string(i)] = text_of(i, 8192);
            put_files(bucket, key, files);
        }
        const FailingHere in_parts({{"dedupe.part-size", 3}});
        const auto report = value(cache.dedupe());
        CHECK(report.entries == 2);
        CHECK(report.files == 20);
    });
}

TEST_CASE("dedupe shares no file that was edited, and leaves the edit") {
    on_disks_with_shared_blocks([](const Cache& cache) {
        const Bucket bucket = bucket_of(cache);
        std::vector<fs::path> trees;
        for (const char* key : {"a", "b", "c"})
            trees.push_back(put_files(bucket, key, {{"file", text_of(1, big)}}));
        // The entry that is met first. The others share their blocks all the same.
        const std::string edited = text_of(2, big);
        write_file(trees[2] / "file", edited);
        const auto report = value(cache.dedupe());
        CHECK(report.files == 1);
        CHECK(read_file(trees[2] / "file") == edited);
        for (const std::size_t whole : {0U, 1U})
            CHECK(read_file(trees[whole] / "file") == text_of(1, big));
    });
}

TEST_CASE("dedupe ends when its time is over, or when it is asked to stop") {
    on_disks_with_shared_blocks([](const Cache& cache) {
        const Bucket bucket = bucket_of(cache);
        for (const char* key : {"a", "b"}) put_files(bucket, key, {{"file", text_of(1, big)}});
        DedupeOptions options;
        options.budget = -1ms;
        CHECK(value(cache.dedupe(options)).ended_early);
        options.budget.reset();
        std::stop_source stop;
        stop.request_stop();
        options.stop = stop.get_token();
        const auto report = value(cache.dedupe(options));
        CHECK(report.ended_early);
        CHECK(report.files == 0);
        CHECK(value(cache.dedupe({.budget = 10min})).files == 1);
    });
}

TEST_CASE("dedupe goes on after an entry that cannot be read") {
    on_disks_with_shared_blocks([](const Cache& cache) {
        const Bucket bucket = bucket_of(cache);
        std::vector<fs::path> trees;
        for (const char* key : {"a", "b", "c", "d"})
            trees.push_back(put_files(bucket, key, {{"file", text_of(1, big)}}));
        fs::remove(trees[3] / "file");
        fs::create_symlink("/etc/passwd", trees[3] / "file");
        write_file(trees[2].parent_path() / "manifest", "none");
        const auto report = value(cache.dedupe());
        CHECK(report.files == 1);
        CHECK(report.failures.size() <= 1);
    });
}

TEST_CASE("dedupe says which file systems can share blocks, if this one cannot") {
    const Scene scene;  // on a disk that may be able to: so the system's answer is made up
    for (const char* key : {"a", "b"}) put_files(scene.bucket, key, {{"file", text_of(1, 8192)}});
    const FailingHere refused({{"os.share-blocks", EOPNOTSUPP}});
    const auto failed = scene.cache.dedupe();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::unsupported);
    CHECK(failed.error().message().find("btrfs") != std::string::npos);
}

TEST_CASE("dedupe passes over entries without digests") {
    const Scene scene;
    for (const char* key : {"a", "b"})
        put_files(scene.bucket, key, {{"file", text_of(1, 8192)}}, nullptr);
    const auto report = value(scene.cache.dedupe());
    CHECK(report.entries == 2);
    CHECK(report.files == 0);
}
