// SPDX-License-Identifier: MIT
#include "cache.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "format/id.hpp"
#include "format/link.hpp"
#include "os/process.hpp"
#include "tree/remove.hpp"

namespace larder::testing {

namespace {

const char* const file_names[] = {"f0", "sub/f1", "sub/deep/f2"};

/// Returns where a test makes its directories.
fs::path parent_of_temp_dirs() {
    if (const char* const asked = std::getenv("LARDER_TEST_DIR")) return asked;
    // A container may have little memory there. Arbitrary: the images of file systems of several
    // tests need less than half of it.
    constexpr std::uintmax_t enough = std::uintmax_t(4) << 30;
    std::error_code error;
    const bool in_memory = std::getenv("LARDER_TEST_IN_MEMORY") != nullptr &&
                           fs::space("/dev/shm", error).available >= enough && !error;
    return in_memory ? "/dev/shm" : fs::temp_directory_path();
}

}  // namespace

TempDir::TempDir() : owner_(os::process_id()) {
    const fs::path parent = parent_of_temp_dirs();
    const fs::path path = parent / ("larder-test-" + to_text(format::fresh_id()));
    if (!fs::create_directory(path))
        throw std::runtime_error("something stands at " + path.string());
    fs::permissions(path, fs::perms::owner_all);
    path_ = fs::canonical(path);
}

TempDir::~TempDir() {
    std::error_code ignored;
    if (owner_ != os::process_id()) return;
#ifdef _WIN32
    // std::filesystem of mingw-w64 follows junctions, and deletes what they lead to.
    if (const auto parent = os::open_dir(path_.parent_path()))
        (void)tree::remove_tree_at(*parent, path_.filename().string());
#endif
    fs::remove_all(path_, ignored);
}

OpenOptions test_options() {
    OpenOptions options;
    const char* const links = std::getenv("LARDER_TEST_LINKS");
    const std::string link_kind = links != nullptr ? links : "symlink";
    options.link_kind = link_kind == "file"       ? LinkKind::file
                        : link_kind == "junction" ? LinkKind::junction
                                                  : LinkKind::symlink;
    const char* const buckets = std::getenv("LARDER_TEST_BUCKETS");
    options.bucket_kind = buckets != nullptr && std::string(buckets) == "pointer"
                              ? BucketKind::pointer
                              : BucketKind::directory;
    return options;
}

bool links_are_junctions() { return test_options().link_kind == LinkKind::junction; }

bool buckets_are_pointers() { return test_options().bucket_kind == BucketKind::pointer; }

fs::path keys_of(const fs::path& bucket) {
    const auto parent = os::open_dir(bucket.parent_path());
    if (!parent) return bucket;
    for (const LinkKind kind : format::kinds_here()) {
        const auto read = format::read_pointer(kind, *parent, bucket.filename().string());
        if (!read || read->kind != format::PointerRead::Kind::generation) continue;
        fs::path root = bucket.parent_path();
        while (!fs::exists(root / "format")) root = root.parent_path();
        return root / "generations" / to_text(read->generation);
    }
    return bucket;
}

Cache open_cache(const fs::path& root, const OpenOptions& options) {
    return value(Cache::open(root, options));
}

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream << bytes;
    stream.close();
    if (!stream) throw std::runtime_error("cannot write " + path.string());
}

std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw std::runtime_error("cannot read " + path.string());
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

void fill(const fs::path& tree, const std::string& content) {
    fs::create_directories(tree / "sub" / "deep");
    for (const char* name : file_names) write_file(tree / name, content);
}

Lease put(const Bucket& bucket, const std::string& key, const std::string& content,
          const PublishOptions& options) {
    Staging staging = value(bucket.stage());
    fill(staging.path(), content);
    return value(bucket.publish(key, std::move(staging), options));
}

std::string content_of(const Lease& lease) {
    const std::string content = read_file(lease.path() / file_names[0]);
    for (const char* name : file_names) {
        if (read_file(lease.path() / name) != content)
            throw std::runtime_error("a mixed tree: " + lease.path().string());
    }
    return content;
}

std::string content_of(const Bucket& bucket, const std::string& key) {
    const auto lease = bucket.get(key);
    if (!lease && lease.error().code == Errc::miss) return {};
    if (!lease) throw std::runtime_error(lease.error().message());
    return content_of(*lease);
}

std::map<std::string, std::string> snapshot(const fs::path& tree) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        const std::string name = entry.path().lexically_relative(tree).string();
        if (entry.is_symlink()) {
            found[name] = "<symlink> " + fs::read_symlink(entry.path()).string();
        } else {
            found[name] = entry.is_directory() ? "<dir>" : read_file(entry.path());
        }
    }
    return found;
}

std::size_t count_entries(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void require_no_leak(const fs::path& root, std::size_t live) {
    const auto require = [](bool good, const std::string& what) {
        if (!good) throw std::runtime_error("a leak: " + what);
    };
    {
        const Cache cache = open_cache(root);
        (void)value(cache.collect());
        const auto report = value(cache.verify());
        for (const auto& finding : report.findings)
            throw std::runtime_error(finding.path.string() + ": " + finding.what);
    }
    require(count_entries(root / "archive") == live,
            std::to_string(count_entries(root / "archive")) + " entries instead of " +
                std::to_string(live));
    for (const char* empty : {"retired/links", "retired/buckets", "deleting"})
        require(count_entries(root / empty) == 0, empty);
    if (fs::exists(root / "generations"))
        require(count_entries(root / "generations") == count_entries(root / "buckets"),
                "a generation without a bucket");
    for (const auto& area : fs::directory_iterator(root / "staging"))
        require(count_entries(area.path()) == 0, area.path().string());
}

}  // namespace larder::testing
