#include <layout/link.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <os/points.hpp>

namespace larder::layout {

namespace {

constexpr std::string_view before_id = "../../archive/";
constexpr std::string_view after_id = "/tree";
constexpr std::size_t target_length = before_id.size() + id_length + after_id.size();
static_assert(target_length < 60, "ext4 keeps a symlink of less than 60 bytes in its inode");

/// One byte more than any link of ours has, so that a longer one is seen to be longer; for kind file a newline ends it.
using Buffer = std::array<char, target_length + 2>;

LinkRead parse(std::string_view text) {
    const auto id = parse_target(text);
    return id ? LinkRead{LinkRead::Kind::entry, *id} : LinkRead{LinkRead::Kind::malformed, {}};
}

Result<LinkRead> read_symlink(const os::Dir& dir, const std::string& name) {
    Buffer buffer;
    const ssize_t length = ::readlinkat(dir.get(), name.c_str(), buffer.data(), buffer.size());
    if (length >= 0) return parse({buffer.data(), static_cast<std::size_t>(length)});
    if (errno == ENOENT || errno == ENOTDIR) return LinkRead{};
    if (errno == EINVAL) return LinkRead{LinkRead::Kind::foreign, {}};
    return os::fail(errno, "read link", dir / name);
}

Result<LinkRead> read_small_file(const os::Dir& dir, const std::string& name) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // nonblocking: it could be a foreign FIFO
    const os::Fd fd(os::retry([&] { return ::openat(dir.get(), name.c_str(), flags); }));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return LinkRead{};
        if (errno == ELOOP || errno == ENXIO) return LinkRead{LinkRead::Kind::foreign, {}};
        return os::fail(errno, "read link", dir / name);
    }
    Buffer buffer;
    std::string_view text;
    // A read may bring less than there is: half a link would be none, and its key a miss. The newline ends it, so that one read is enough.
    while (text.size() < buffer.size() && !text.ends_with('\n')) {
        char* const rest = buffer.data() + text.size();
        const ssize_t got = os::retry([&] { return ::read(fd.get(), rest, buffer.size() - text.size()); });
        if (got < 0 && (errno == EISDIR || errno == EAGAIN)) return LinkRead{LinkRead::Kind::foreign, {}};
        if (got < 0) return os::fail(errno, "read link", dir / name);
        if (got == 0) break;
        text = {buffer.data(), text.size() + static_cast<std::size_t>(got)};
    }
    struct stat status{};
    if (text.empty() && ::fstat(fd.get(), &status) != 0) return os::fail(errno, "read link", dir / name);
    if (text.empty() && !S_ISREG(status.st_mode)) return LinkRead{LinkRead::Kind::foreign, {}};
    if (!text.ends_with('\n')) return LinkRead{LinkRead::Kind::malformed, {}};
    text.remove_suffix(1);
    return parse(text);
}

tl::unexpected<Error> no_junctions(const os::Dir& dir, const std::string& name) {
    return os::fail(Errc::unsupported, "link", dir / name, "directory junctions exist on Windows only");
}

}  // namespace

std::string target_of(const Id& id) { return std::string(before_id).append(to_text(id)).append(after_id); }

std::optional<Id> parse_target(std::string_view target) noexcept {
    if (target.size() != target_length || !target.starts_with(before_id) || !target.ends_with(after_id)) return std::nullopt;
    return parse_id(target.substr(before_id.size(), id_length));
}

Result<LinkRead> read_link(LinkKind kind, const os::Dir& dir, const std::string& name) {
    if (!dir.fd) return LinkRead{};
    switch (kind) {
        case LinkKind::symlink: return read_symlink(dir, name);
        case LinkKind::file: return read_small_file(dir, name);
        case LinkKind::junction: break;
    }
    return no_junctions(dir, name);
}

Result<> make_link(LinkKind kind, const os::Dir& dir, const std::string& name, const Id& id) {
    switch (kind) {
        case LinkKind::symlink:
            if (::symlinkat(target_of(id).c_str(), dir.get(), name.c_str()) != 0) return os::fail(errno, "make link", dir / name);
            return {};
        case LinkKind::file: return os::write_new_file_at(dir, name, target_of(id) + "\n");
        case LinkKind::junction: break;
    }
    return no_junctions(dir, name);
}

bool link_kind_works(LinkKind kind, const os::Dir& scratch) {
    if (os::point(kind == LinkKind::symlink ? "link.probe-symlink" : "link.probe-file") != 0) return false;
    const std::string first = to_text(fresh_id()), second = to_text(fresh_id());
    const Id id = fresh_id();
    const auto works = [&] {
        if (!make_link(kind, scratch, first, id) || !os::rename_new(scratch, first, scratch, second)) return false;
        const auto read = read_link(kind, scratch, second);
        return read && read->names(id);
    }();
    (void)os::remove_file_at(scratch, first);
    (void)os::remove_file_at(scratch, second);
    return works;
}

}  // namespace larder::layout
