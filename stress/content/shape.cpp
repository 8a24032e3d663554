// SPDX-License-Identifier: MIT
#include "stress/content/shape.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "stress/random.hpp"

namespace larder::stress {

namespace {

constexpr std::array<std::string_view, 3> size_names{"tiny", "small", "mixed"};

std::uint64_t seed_of(const TreeIdentity& identity) {
    return mix(identity.bucket, identity.key, identity.version,
               static_cast<std::uint64_t>(identity.size));
}

/// Returns the size of a file. Many files are small, some are empty, and a few take several blocks,
/// since a torn write can show only if there is more than one.
std::uint64_t draw_bytes(Random& random, TreeSize size) {
    if (size == TreeSize::tiny) return random.below(200);
    const std::uint64_t kind = random.below(16);
    if (kind == 0) return 0;
    if (kind == 1) return 4096 * random.between(1, 2);  // ends at the end of a page
    if (kind == 2 && size == TreeSize::mixed) return random.below(200'000);
    return random.below(size == TreeSize::mixed ? 8000 : 3000);
}

class ShapeBuilder {
public:
    explicit ShapeBuilder(const TreeIdentity& identity)
        : identity_(identity), seed_(seed_of(identity)), random_(seed_, 1) {}

    std::vector<TreeNode> build() {
        if (identity_.size == TreeSize::tiny) {
            add_file("");
            return std::move(nodes_);
        }
        const bool mixed = identity_.size == TreeSize::mixed;
        const auto files = mixed ? random_.between(2, 24) : random_.between(1, 5);
        std::vector<std::string> places{""};
        for (std::uint64_t i = random_.below(mixed ? 5 : 2); i > 0; --i)
            places.push_back(add_directory(places, 0755));
        if (random_.chance(0.3)) (void)add_directory(places, 0755);  // it stays empty
        if (random_.chance(0.2))
            places.push_back(add_directory(places, 0555));  // read-only once it is filled
        for (std::uint64_t i = 0; i < files; ++i) add_file(places[random_.below(places.size())]);
        if (random_.chance(0.5)) add_symlink(places, first_file_);
        if (random_.chance(0.2)) add_symlink(places, "leads/nowhere");
        return std::move(nodes_);
    }

private:
    std::string add_directory(const std::vector<std::string>& places, std::uint32_t mode) {
        std::string path = places[random_.below(places.size())] + "d" + std::to_string(next_++);
        nodes_.push_back({TreeNode::Type::directory, path, mode, 0, 0, {}});
        return path + "/";
    }

    void add_file(const std::string& place) {
        const std::uint64_t number = next_++, bytes = draw_bytes(random_, identity_.size);
        const std::uint32_t mode = random_.chance(0.1) ? 0755 : 0644;
        nodes_.push_back({TreeNode::Type::file,
                          place + "f" + std::to_string(number),
                          mode,
                          bytes,
                          mix(seed_, number, bytes),
                          {}});
        if (first_file_.empty()) first_file_ = nodes_.back().path;
    }

    void add_symlink(const std::vector<std::string>& places, const std::string& target) {
        nodes_.push_back({TreeNode::Type::symlink,
                          places[random_.below(places.size())] + "l" + std::to_string(next_++), 0,
                          0, 0, target});
    }

    TreeIdentity identity_;
    std::uint64_t seed_;
    Random random_;
    std::uint64_t next_ = 0;
    std::string first_file_;
    std::vector<TreeNode> nodes_;
};

}  // namespace

std::string_view name_of(TreeSize size) noexcept {
    return size_names[static_cast<std::size_t>(size)];
}

std::optional<TreeSize> tree_size_of(std::string_view name) noexcept {
    const auto found = std::find(size_names.begin(), size_names.end(), name);
    if (found == size_names.end()) return std::nullopt;
    return static_cast<TreeSize>(found - size_names.begin());
}

std::vector<TreeNode> shape_of(const TreeIdentity& identity) {
    return ShapeBuilder(identity).build();
}

std::string print_identity(const TreeIdentity& identity) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(),
                  "larder stress 1: bucket %u key %u version %llu size %u sum %016llx\n",
                  identity.bucket, identity.key, static_cast<unsigned long long>(identity.version),
                  static_cast<unsigned>(identity.size),
                  static_cast<unsigned long long>(seed_of(identity)));
    return line.data();
}

std::optional<TreeIdentity> parse_identity(std::string_view text) {
    unsigned bucket = 0, key = 0, size = 0;
    unsigned long long version = 0;
    const std::string line(text);
    if (std::sscanf(line.c_str(), "larder stress 1: bucket %u key %u version %llu size %u", &bucket,
                    &key, &version, &size) != 4)
        return std::nullopt;
    if (size >= size_names.size()) return std::nullopt;
    const TreeIdentity identity{bucket, key, version, static_cast<TreeSize>(size)};
    if (print_identity(identity) != text)
        return std::nullopt;  // the checksum is wrong, or more follows
    return identity;
}

}  // namespace larder::stress
