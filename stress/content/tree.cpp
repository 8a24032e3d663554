// SPDX-License-Identifier: MIT
#include "stress/content/tree.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <set>

#include <larder/try.hpp>

#include "stress/random.hpp"
#include "stress/system/files.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

/// A part of a file's content. Its n-th word is a function of the file's seed and n.
using WordBlock = std::array<std::uint64_t, 1024>;

void fill_block(WordBlock& block, std::uint64_t seed, std::uint64_t first_word) {
    for (std::size_t i = 0; i < block.size(); ++i)
        block[i] = mix(seed + (first_word + i) * 0x9e37'79b9'7f4a'7c15U);
}

tl::unexpected<Error> not_filled(const std::error_code& reason, const fs::path& path) {
    return failure(reason, "fill a tree", path);
}

Result<> write_bytes(const fs::path& path, const TreeNode& node) {
    const auto file = OutputFile::create(path, node.mode);
    if (!file) return not_filled(file.error(), path);
    WordBlock block;
    for (std::uint64_t done = 0; done < node.bytes;) {
        fill_block(block, node.seed, done / 8);
        const auto part = std::min<std::uint64_t>(node.bytes - done, sizeof block);
        const auto written = file->write({reinterpret_cast<const char*>(block.data()), part});
        if (!written) return not_filled(written.error(), path);
        done += part;
    }
    const auto set = file->set_mode(node.mode);
    if (!set) return not_filled(set.error(), path);
    return {};
}

/// Reads one tree. It stops at the first damage.
class TreeReader {
public:
    explicit TreeReader(fs::path tree) : tree_(std::move(tree)) {}

    Result<TreeReading> read(const ExpectedTree& expected) {
        LARDER_TRY(look(expected));
        return std::move(reading_);
    }

private:
    /// Notes the damage. Returns false, "not whole".
    bool damaged(std::string what) {
        if (reading_.damage.empty()) reading_.damage = std::move(what);
        return false;
    }

    /// Notes that a call failed: the tree is damaged, unless this process lacks what it takes to
    /// look.
    Result<bool> failed(const std::error_code& reason, const std::string& what) {
        if (is_out_of_resources(reason)) return failure(reason, "read a tree", tree_);
        return damaged(fmt::format("{}: {}", what, reason.message()));
    }

    Result<> look(const ExpectedTree& expected) {
        LARDER_TRY_ASSIGN(const auto identity, read_identity());
        if (!identity) return {};
        reading_.version = identity->version;
        if (identity->bucket != expected.bucket || identity->key != expected.key) {
            damaged(fmt::format(
                "foreign: wanted bucket {} key {}, and it says bucket {} key {} version {}",
                expected.bucket, expected.key, identity->bucket, identity->key, identity->version));
            return {};
        }
        if (expected.version && *expected.version != identity->version) {
            damaged(fmt::format("changed: it was version {}, and is version {}", *expected.version,
                                identity->version));
            return {};
        }
        std::set<std::string> known{identity_file};
        for (const TreeNode& node : shape_of(*identity)) {
            LARDER_TRY_ASSIGN(const bool good, look_at(node));
            if (!good) return {};
            known.insert(node.path);
        }
        return look_for_strangers("", known);
    }

    Result<std::optional<TreeIdentity>> read_identity() {
        std::array<char, 256> text{};
        const auto file = InputFile::open(tree_ / identity_file);
        const auto got = file ? file->read(text.data(), text.size())
                              : SystemResult<std::size_t>(tl::make_unexpected(file.error()));
        if (!got) {
            LARDER_TRY(failed(got.error(), identity_file));
            return std::nullopt;
        }
        auto identity = parse_identity({text.data(), *got});
        if (!identity) damaged("torn: the identity file is not what was written");
        return identity;
    }

    Result<bool> look_at(const TreeNode& node) {
        const fs::path path = tree_ / node.path;
        const auto status = status_of(path);
        if (!status) return failed(status.error(), node.path);
        switch (node.type) {
            case TreeNode::Type::directory:
                if (status->type != fs::file_type::directory)
                    return damaged(node.path + " is no directory");
                break;
            case TreeNode::Type::file:
                if (status->type != fs::file_type::regular)
                    return damaged(node.path + " is no regular file");
                if (status->size != node.bytes) {
                    return damaged(fmt::format("torn: {} has {} bytes, and not {}", node.path,
                                               status->size, node.bytes));
                }
                break;
            case TreeNode::Type::symlink:
                return look_at_symlink(path, node);
        }
        if (status->mode != node.mode)
            return damaged(
                fmt::format("{} has mode {:o}, and not {:o}", node.path, status->mode, node.mode));
        if (node.type == TreeNode::Type::directory) return true;
        return compare_bytes(path, node);
    }

    Result<bool> look_at_symlink(const fs::path& path, const TreeNode& node) {
        std::error_code reason;
        const fs::path target = fs::read_symlink(path, reason);
        if (reason) return failed(reason, node.path);
        if (target != node.target) return damaged(node.path + " leads elsewhere");
        return true;
    }

    Result<bool> compare_bytes(const fs::path& path, const TreeNode& node) {
        const auto file = InputFile::open(path);
        if (!file) return failed(file.error(), node.path);
        WordBlock wanted, found;
        for (std::uint64_t done = 0; done < node.bytes;) {
            const auto part = std::min<std::uint64_t>(node.bytes - done, sizeof wanted);
            const auto got = file->read(found.data(), part);
            if (!got) return failed(got.error(), node.path);
            if (*got != part)
                return damaged(fmt::format("torn: {} ends at byte {}", node.path, done + *got));
            fill_block(wanted, node.seed, done / 8);
            if (std::memcmp(wanted.data(), found.data(), part) != 0) {
                return damaged(
                    fmt::format("mixed: {} differs from version {} between bytes {} and {}",
                                node.path, reading_.version, done, done + part));
            }
            done += part;
        }
        return true;
    }

    Result<> look_for_strangers(const std::string& below, const std::set<std::string>& known) {
        std::error_code reason;
        fs::directory_iterator entry(tree_ / below, reason);
        for (; !reason && entry != fs::directory_iterator(); entry.increment(reason)) {
            const std::string inside = below + entry->path().filename().string();
            if (!known.contains(inside)) {
                damaged("mixed: " + inside + " does not belong to this version");
                return {};
            }
            const bool is_directory =
                entry->symlink_status(reason).type() == fs::file_type::directory;
            if (reason) break;
            if (is_directory) LARDER_TRY(look_for_strangers(inside + "/", known));
        }
        if (reason) LARDER_TRY(failed(reason, below));
        return {};
    }

    fs::path tree_;
    TreeReading reading_;
};

}  // namespace

Result<> write_tree(const fs::path& tree, const TreeIdentity& identity) {
    const auto nodes = shape_of(identity);
    std::error_code reason;
    for (const TreeNode& node : nodes) {
        const fs::path path = tree / node.path;
        switch (node.type) {
            case TreeNode::Type::directory:
                fs::create_directory(path, reason);
                break;
            case TreeNode::Type::file:
                LARDER_TRY(write_bytes(path, node));
                break;
            case TreeNode::Type::symlink:
                fs::create_symlink(node.target, path, reason);
                break;
        }
        if (reason) return not_filled(reason, path);
    }
    for (const TreeNode& node : nodes) {
        if (node.type != TreeNode::Type::directory) continue;
        fs::permissions(tree / node.path, static_cast<fs::perms>(node.mode), reason);
        if (reason) return not_filled(reason, tree / node.path);
    }
    // The identity comes last, so that a tree which was left half filled has none.
    const fs::path path = tree / identity_file;
    const auto file = OutputFile::create(path, 0644);
    if (!file) return not_filled(file.error(), path);
    const auto written = file->write(print_identity(identity));
    if (!written) return not_filled(written.error(), path);
    return {};
}

Result<TreeReading> read_tree(const fs::path& tree, const ExpectedTree& expected) {
    return TreeReader(tree).read(expected);
}

std::optional<Version> read_version(const fs::path& tree) {
    const auto file = InputFile::open(tree / identity_file);
    if (!file) return std::nullopt;
    std::array<char, 256> text{};
    const auto got = file->read(text.data(), text.size());
    if (!got) return std::nullopt;
    const auto identity = parse_identity({text.data(), *got});
    return identity ? std::optional(identity->version) : std::nullopt;
}

}  // namespace larder::stress
