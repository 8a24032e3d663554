// SPDX-License-Identifier: MIT
#include "unpack.hpp"

#include <fmt/format.h>
#include <string_view>
#include <vector>

#include "archive.hpp"
#include "digest.hpp"
#include "record.hpp"
#include "tree.hpp"

namespace installer {

namespace {

class Unpacking {
public:
    Unpacking(const WheelFile& wheel, const Limits& limits, Contents contents, Tree tree)
        : wheel_(wheel), limits_(limits), contents_(std::move(contents)), tree_(std::move(tree)) {}

    Result<> run() {
        auto archive = Archive::open(wheel_.path);
        if (!archive) return tl::unexpected(archive.error());
        std::size_t unpacked = 0;
        while (true) {
            auto member = archive->next();
            if (!member) return tl::unexpected(member.error());
            if (!*member) break;
            // An installer removes what RECORD lists, so a directory is made for the files in it and not for its own sake.
            if ((**member).is_directory) continue;
            if (auto done = unpack_member(*archive, **member); !done) return done;
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

        auto size = archive.read(buffer_);
        if (!size) return tl::unexpected(size.error());
        const bool rewritten =
            file.is_script && std::string_view(buffer_.data(), *size).starts_with("#!python");
        const std::string place =
            fmt::format("{}/{}", rewritten ? entry::scripts : entry::files, file.destination);

        Fd output;
        if (!file.is_dropped) {
            auto created =
                tree_.create(place, file.is_script || member.is_executable ? 0755 : 0644);
            if (!created && created.error().code == Errc::exists)
                return refuse_member(member, "is there twice");
            if (!created) return tl::unexpected(created.error());
            output = std::move(*created);
        }

        Digest digest(file.algorithm.empty() ? "sha256" : file.algorithm);
        std::uint64_t bytes = 0;
        while (*size > 0) {
            const std::string_view piece(buffer_.data(), *size);
            bytes += piece.size();
            total_ += piece.size();
            // What the archive says about sizes is not asked: this counts what came out.
            if (total_ > limits_.max_bytes) {
                return refuse_member(
                    member,
                    fmt::format("takes the wheel past the limit of {} bytes", limits_.max_bytes));
            }
            digest.add(piece);
            if (output) {
                if (auto written = write_all(output, piece, place); !written) return written;
            }
            size = archive.read(buffer_);
            if (!size) return tl::unexpected(size.error());
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
        if (auto made = tree_.make_directory(entry::files); !made) return made;
        const auto file = tree_.create(entry::record, 0644);
        if (!file) return tl::unexpected(file.error());
        return write_all(*file, write_record(list_), entry::record);
    }

    [[nodiscard]] tl::unexpected<Error> refuse_member(const Member& member,
                                                      std::string_view why) const {
        return refuse("unpack wheel", wheel_.path, fmt::format("member '{}' {}", member.path, why));
    }
    [[nodiscard]] tl::unexpected<Error> changed() const {
        return refuse("unpack wheel", wheel_.path, "changed while it was read");
    }

    const WheelFile& wheel_;
    const Limits& limits_;
    Contents contents_;
    Tree tree_;
    std::vector<char> buffer_ =
        std::vector<char>(128 * 1024);  // on the heap, because it is large for a thread's stack
    std::vector<RecordLine> list_;
    std::uint64_t total_ = 0;
};

}  // namespace

Result<> unpack(const WheelFile& wheel, const fs::path& directory, const Limits& limits) {
    auto contents = inspect(wheel, limits);
    if (!contents) return tl::unexpected(contents.error());
    auto tree = Tree::open(directory);
    if (!tree) return tl::unexpected(tree.error());
    if (auto done = Unpacking(wheel, limits, std::move(*contents), std::move(*tree)).run(); !done)
        return done;

    // The key holds the seal that the file had at first. If it has another by now, the entry would be misnamed.
    const auto seal = seal_of(wheel.path);
    if (!seal) return tl::unexpected(seal.error());
    if (*seal != wheel.seal) return refuse("unpack wheel", wheel.path, "changed while it was read");
    return {};
}

}  // namespace installer
