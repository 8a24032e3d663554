// SPDX-License-Identifier: MIT
#include "tree/digest.hpp"

#include <algorithm>

#include "format/manifest.hpp"
#include "os/link.hpp"

namespace larder::tree {

namespace {

/// How much is read at a time. Arbitrary: a system call costs little beside the digest of so much.
constexpr std::size_t digest_piece = std::size_t{64} * 1024;

/// Adds the contents of a file. `size` is how many bytes it is likely to have.
Result<> add_contents(DigestStream& stream, const os::Dir& parent, const std::string& name,
                      std::uint64_t size) {
    TRY_ASSIGN(const os::FileHandle file,
               os::open_at(parent, name, os::OpenMode::read_nonblocking));
    // One byte more, so that a small file is at its end with the second read.
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(size + 1, digest_piece)),
                      '\0');
    for (;;) {
        const auto got = os::read_some(file, piece.data(), piece.size());
        if (!got) return os::fail(got.error(), "read", parent / name);
        if (*got == 0) return {};
        stream.add(std::string_view(piece).substr(0, *got));
    }
}

/// Adds the text of a symlink.
Result<> add_text(DigestStream& stream, const os::Dir& parent, const std::string& name,
                  std::uint64_t size) {
    // No system has longer texts than a page. The size is only what was true at the last look.
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(size + 1, digest_piece)),
                     '\0');
    const auto got = os::read_symlink_at(parent, name.c_str(), text.data(), text.size());
    if (!got) return os::fail(got.error(), "read link", parent / name);
    stream.add(std::string_view(text).substr(0, *got));
    return {};
}

}  // namespace

Result<std::string> digest_of(const DigestAlgorithm& algorithm, const os::Dir& parent,
                              const std::string& name, const os::FileInfo& info) {
    const auto stream = algorithm.start();
    TRY(info.is_symlink() ? add_text(*stream, parent, name, info.size)
                          : add_contents(*stream, parent, name, info.size));
    std::string digest = stream->finish();
    if (digest.empty() || digest.size() > format::max_manifest_digest) {
        return fail(Errc::unsupported, "digest", parent / name,
                    "the algorithm " + std::string(algorithm.name()) + " has failed");
    }
    return digest;
}

}  // namespace larder::tree
