// SPDX-License-Identifier: MIT
// Trees that prove themselves: a tree that was written is found whole, and each kind of damage is
// seen.

#include <sys/stat.h>

#include <functional>
#include <set>

#include "catch.hpp"
#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::stress;
using namespace larder::testing;

namespace {

/// Returns a version whose tree has everything that a tree can have. It is found by trying, since
/// trees are random.
TreeIdentity rich_identity() {
    for (Version version = 1;; ++version) {
        const TreeIdentity identity{1, 2, version, TreeSize::mixed};
        bool full = false, empty = false, symlink = false, closed = false, below = false;
        for (const TreeNode& node : shape_of(identity)) {
            full |= node.type == TreeNode::Type::file && node.bytes > 8192;
            empty |= node.type == TreeNode::Type::file && node.bytes == 0;
            symlink |= node.type == TreeNode::Type::symlink;
            closed |= node.type == TreeNode::Type::directory && node.mode == 0555;
            below |= node.type == TreeNode::Type::file && node.path.find('/') != std::string::npos;
        }
        if (full && empty && symlink && closed && below) return identity;
    }
}

const TreeNode& find(const std::vector<TreeNode>& nodes,
                     const std::function<bool(const TreeNode&)>& wanted) {
    for (const TreeNode& node : nodes) {
        if (wanted(node)) return node;
    }
    throw std::runtime_error("no such node");
}

const TreeNode& large_file(const std::vector<TreeNode>& nodes) {
    return find(nodes, [](const TreeNode& node) {
        return node.type == TreeNode::Type::file && node.bytes > 8192;
    });
}

void make_writable(const fs::path& tree) {
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        if (entry.is_directory() && !entry.is_symlink())
            fs::permissions(entry.path(), fs::perms::owner_all, fs::perm_options::add);
    }
}

}  // namespace

TEST_CASE("a tree that was written is found whole, with its version") {
    for (const TreeSize size : {TreeSize::tiny, TreeSize::small, TreeSize::mixed}) {
        for (Version version = 1; version <= 30; ++version) {
            const TempDir dir;
            const TreeIdentity identity{3, 4, version, size};
            value(write_tree(dir.path(), identity));
            const TreeReading reading = value(read_tree(dir.path(), {3, 4, {}}));
            INFO(reading.damage);
            CHECK(reading.sound());
            CHECK(reading.version == version);
            CHECK(read_version(dir.path()) == version);
            make_writable(dir.path());
        }
    }
}

TEST_CASE("each kind of damage is seen and described") {
    const TreeIdentity identity = rich_identity();
    const auto nodes = shape_of(identity);
    const std::string large = large_file(nodes).path;
    const std::string empty = find(nodes, [](const TreeNode& node) {
                                  return node.type == TreeNode::Type::file && node.bytes == 0;
                              }).path;
    const std::string link =
        find(nodes, [](const TreeNode& node) { return node.type == TreeNode::Type::symlink; }).path;
    const std::string closed =
        find(nodes, [](const TreeNode& node) { return node.mode == 0555; }).path;

    struct DamageRow {
        std::string what;
        std::function<void(const fs::path&)> damage;
    };
    const auto change = [](const fs::path& file, const std::function<void(std::string&)>& how) {
        std::string bytes = read_file(file);
        how(bytes);
        write_file(file, bytes);
    };
    const DamageRow rows[] = {
        {"differs",
         [&](const fs::path& tree) {
             change(tree / large, [](std::string& bytes) { bytes.back() ^= 1; });
         }},
        {"differs",
         [&](const fs::path& tree) {
             change(tree / large, [](std::string& bytes) { bytes.front() ^= 1; });
         }},
        {"torn: " + large, [&](const fs::path& tree) { fs::resize_file(tree / large, 4096); }},
        {"torn: " + large,
         [&](const fs::path& tree) {
             change(tree / large, [](std::string& bytes) { bytes += 'x'; });
         }},
        {"torn: " + empty, [&](const fs::path& tree) { write_file(tree / empty, "x"); }},
        {large + ": No such file", [&](const fs::path& tree) { fs::remove(tree / large); }},
        {large + " is no regular file",
         [&](const fs::path& tree) {
             fs::remove(tree / large), fs::create_directory(tree / large);
         }},
        {"stranger does not belong",
         [&](const fs::path& tree) { write_file(tree / "stranger", ""); }},
        {"stranger does not belong",
         [&](const fs::path& tree) { fs::create_directory(tree / "stranger"); }},
        {link + " leads elsewhere",
         [&](const fs::path& tree) {
             fs::remove(tree / link), fs::create_symlink("/etc", tree / link);
         }},
        {link + ": Invalid argument",
         [&](const fs::path& tree) { fs::remove(tree / link), write_file(tree / link, ""); }},
        {closed + " has mode 755",
         [&](const fs::path& tree) { REQUIRE(::chmod((tree / closed).c_str(), 0755) == 0); }},
        {large + " has mode",
         [&](const fs::path& tree) { REQUIRE(::chmod((tree / large).c_str(), 0600) == 0); }},
        {"identity: No such file", [&](const fs::path& tree) { fs::remove(tree / identity_file); }},
        {"torn: the identity", [&](const fs::path& tree) { write_file(tree / identity_file, ""); }},
        {"torn: the identity",
         [&](const fs::path& tree) {
             change(tree / identity_file, [](std::string& text) { text.pop_back(); });
         }},
        {"torn: the identity",
         [&](const fs::path& tree) {
             change(tree / identity_file, [](std::string& text) { text += "more\n"; });
         }},
        {"foreign",
         [](const fs::path& tree) {
             write_file(tree / identity_file, print_identity({1, 3, 7, TreeSize::mixed}));
         }},
        {"foreign",
         [](const fs::path& tree) {
             write_file(tree / identity_file, print_identity({2, 2, 7, TreeSize::mixed}));
         }},
    };
    for (const auto& [what, damage] : rows) {
        const TempDir dir;
        value(write_tree(dir.path(), identity));
        REQUIRE(value(read_tree(dir.path(), {1, 2, {}})).sound());
        make_writable(dir.path());
        REQUIRE(::chmod((dir.path() / closed).c_str(), 0555) == 0);
        damage(dir.path());
        const TreeReading reading = value(read_tree(dir.path(), {1, 2, {}}));
        INFO(what);
        INFO(reading.damage);
        CHECK_FALSE(reading.sound());
        CHECK(contains(reading.damage, what));
        make_writable(dir.path());
    }
}

TEST_CASE("a mixture of two versions is damage") {
    // The identity of one and the files of the other: what a reader would see if the directory were
    // exchanged while it reads.
    const TempDir dir, other;
    value(write_tree(dir.path(), {1, 2, 10, TreeSize::small}));
    value(write_tree(other.path(), {1, 2, 11, TreeSize::small}));
    make_writable(dir.path());
    fs::copy_file(other.path() / identity_file, dir.path() / identity_file,
                  fs::copy_options::overwrite_existing);
    CHECK_FALSE(value(read_tree(dir.path(), {1, 2, {}})).sound());
    make_writable(other.path());
}

TEST_CASE("a tree of another version than the leased one is damage") {
    const TempDir dir;
    value(write_tree(dir.path(), {1, 2, 10, TreeSize::tiny}));
    CHECK(value(read_tree(dir.path(), {1, 2, 10})).sound());
    const TreeReading reading = value(read_tree(dir.path(), {1, 2, 9}));
    CHECK(contains(reading.damage, "changed: it was version 9, and is version 10"));
}

TEST_CASE("a damaged identity is none") {
    const std::string text = print_identity({1, 2, 3, TreeSize::small});
    CHECK(parse_identity(text) == TreeIdentity{1, 2, 3, TreeSize::small});
    for (std::size_t length = 0; length < text.size(); ++length)
        CHECK_FALSE(parse_identity(text.substr(0, length)));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] ^= 1;
        INFO(changed);
        CHECK_FALSE(parse_identity(changed));
    }
}

TEST_CASE("no two keys have the same name") {
    std::set<std::string> names;
    for (std::uint32_t key = 0; key < 5000; ++key) names.insert(key_name(key));
    CHECK(names.size() == 5000);
}
