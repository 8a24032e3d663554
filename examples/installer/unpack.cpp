// SPDX-License-Identifier: MIT
#include "unpack.hpp"

#include <fmt/core.h>
#include <string_view>
#include <vector>

#include "archive.hpp"
#include "digest.hpp"
#include "record.hpp"
#include "tree.hpp"

namespace installer {

namespace {

class Unpacker {
public:
    Unpacker(const WheelFile& wheel, const WheelLimits& limits, Contents contents, Tree tree)
        : wheel_(wheel), limits_(limits), contents_(std::move(contents)), tree_(std::move(tree)) {}

    Result<> run() {
        LARDER_TRY_ASSIGN(auto archive, Archive::open(wheel_.path));
        std::size_t unpacked = 0;
        while (true) {
            LARDER_TRY_ASSIGN(const auto member, archive.next());
            if (!member) break;
            // A directory is made for the files in it, never for itself. An uninstaller removes
            // what RECORD lists, and RECORD lists no directories.
            if (member->is_directory) continue;
            LARDER_TRY(unpack_member(archive, *member));
            ++unpacked;
        }
        if (unpacked != contents_.files.size()) return changed();
        return write_list();
    }

private:
    Result<> unpack_member(Archive& archive, const Member& member) {
        const auto found = contents_.files.find(member.path);
        if (found == contents_.files.end()) return changed();
        const PlannedFile& file = found->second;

        LARDER_TRY_ASSIGN(auto size, archive.read(buffer_));
        const bool rewritten =
            file.is_script && std::string_view(buffer_.data(), size).starts_with("#!python");
        const std::string place =
            fmt::format("{}/{}", rewritten ? entry::scripts : entry::files, file.destination);

        Fd output;
        if (!file.is_dropped) {
            auto created =
                tree_.create(place, file.is_script || member.is_executable ? 0755 : 0644);
            if (!created && created.error().code == Errc::exists)
                return refuse_member(member, "is there twice");
            LARDER_TRY_ASSIGN(output, std::move(created));
        }

        Digest digest(file.algorithm.empty() ? "sha256" : file.algorithm);
        std::uint64_t bytes = 0;
        while (size > 0) {
            const std::string_view piece(buffer_.data(), size);
            bytes += piece.size();
            total_ += piece.size();
            // The sizes in the archive may be wrong, so this counts the bytes that come out.
            if (total_ > limits_.max_bytes) {
                return refuse_member(
                    member,
                    fmt::format("takes the wheel past the limit of {} bytes", limits_.max_bytes));
            }
            digest.add(piece);
            if (output) LARDER_TRY(write_all(output, piece, place));
            LARDER_TRY_ASSIGN(size, archive.read(buffer_));
        }
        const std::string found_digest = base64_url(digest.finish());
        if (!file.algorithm.empty() && found_digest != file.digest)
            return refuse_member(member, "is not what RECORD says");
        if (!file.is_dropped && !rewritten) {
            list_.push_back({file.destination, fmt::format("{}={}", file.algorithm, found_digest),
                             std::to_string(bytes)});
        }
        return {};
    }

    Result<> write_list() {
        LARDER_TRY(tree_.make_directory(entry::files));
        LARDER_TRY_ASSIGN(const auto file, tree_.create(entry::record, 0644));
        return write_all(file, write_record(list_), entry::record);
    }

    [[nodiscard]] tl::unexpected<Error> refuse_member(const Member& member,
                                                      std::string_view why) const {
        return refuse("unpack wheel", wheel_.path, fmt::format("member '{}' {}", member.path, why));
    }
    [[nodiscard]] tl::unexpected<Error> changed() const {
        return refuse("unpack wheel", wheel_.path, "was changed while it was read");
    }

    const WheelFile& wheel_;
    const WheelLimits& limits_;
    Contents contents_;
    Tree tree_;
    std::vector<char> buffer_ = std::vector<char>(128 * 1024);
    std::vector<RecordLine> list_;
    std::uint64_t total_ = 0;
};

}  // namespace

Result<> unpack(const WheelFile& wheel, const fs::path& directory, const WheelLimits& limits) {
    LARDER_TRY_ASSIGN(auto contents, inspect(wheel, limits));
    LARDER_TRY_ASSIGN(auto tree, Tree::open(directory));
    LARDER_TRY(Unpacker(wheel, limits, std::move(contents), std::move(tree)).run());

    // The key contains the seal that the file had at first. If the seal is another one now, the
    // entry would have the wrong key.
    LARDER_TRY_ASSIGN(const auto seal, seal_of(wheel.path));
    if (seal != wheel.seal) {
        return refuse("unpack wheel", wheel.path, "was changed while it was read");
    }
    return {};
}

}  // namespace installer
