// SPDX-License-Identifier: MIT
// A link: its text, and what is read at its name, whatever is there.

#include <sys/stat.h>

#include "catch.hpp"
#include "format/link.hpp"
#include "os/link.hpp"
#include "os/posix/fd.hpp"
#include "support/cache.hpp"
#include "support/socket.hpp"

using namespace larder;
using namespace larder::format;
using namespace larder::testing;

namespace {

const std::string id_text = "0123456789abcdefghjkmnpqrs";
const std::string target = "../../archive/" + id_text + "/tree";

LinkKind kind() { return *test_options().link_kind; }

/// Reads `name` as a link of the kind under test.
LinkRead read(const fs::path& dir, const std::string& name = "link") {
    return value(read_link(kind(), value(os::open_dir(dir)), name));
}

void put_link(const fs::path& path, const std::string& text) {
    fs::remove(path);
    if (kind() == LinkKind::symlink) {
        fs::create_symlink(text, path);
    } else {
        write_file(path, text + "\n");
    }
}

}  // namespace

TEST_CASE("a link's text has one form") {
    const auto id = parse_id(id_text);
    REQUIRE(id);
    CHECK(target_of(*id) == target);
    CHECK(parse_target(target) == id);
    for (const std::string& text :
         {std::string(), id_text, std::string("/etc/passwd"), std::string("../../archive/"),
          "../../archive/" + id_text, target + "/", target + "/..", "../" + target,
          "../../archive//" + id_text + "/tree", "./" + target.substr(3), "/" + target,
          "../../deleting/" + id_text + "/tree", "../../archive/" + id_text + "/trea",
          "../../archive/../archive/" + id_text.substr(11) + "/tree",
          "../../Archive/" + id_text + "/tree", "..\\..\\archive\\" + id_text + "\\tree",
          target + "\n", "../../archive/" + std::string(id_length, '0') + "/tree",
          "../../archive/" + std::string(id_length, '.') + "/tree"}) {
        INFO(text);
        CHECK_FALSE(parse_target(text));
    }
}

TEST_CASE("a target that is cut off, or of which a byte has changed, never names the same entry") {
    const auto id = parse_target(target);
    for (std::size_t length = 0; length < target.size(); ++length)
        CHECK_FALSE(parse_target(target.substr(0, length)));
    for (std::size_t at = 0; at < target.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = target;
            changed[at] = static_cast<char>(byte);
            if (changed == target) continue;
            const auto other = parse_target(changed);
            const bool in_id = at >= 14 && at < 14 + id_length;
            if (other && (!in_id || other == id)) FAIL_CHECK(changed);
        }
    }
}

TEST_CASE("a link reads back") {
    const TempDir dir;
    const Id id = fresh_id();
    value(make_link(kind(), value(os::open_dir(dir.path())), value(os::open_dir(dir.path())),
                    "link", id));
    CHECK(read(dir.path()).names(id));
    const auto again = make_link(kind(), value(os::open_dir(dir.path())),
                                 value(os::open_dir(dir.path())), "link", fresh_id());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::exists);
    CHECK(read(dir.path()).names(id));
}

TEST_CASE("a link is absent if its name, or its directory, does not exist") {
    const TempDir dir;
    write_file(dir.path() / "file", "");
    CHECK(read(dir.path()).kind == LinkRead::Kind::absent);
    CHECK(read(dir.path(), "none/link").kind == LinkRead::Kind::absent);
    CHECK(read(dir.path(), "file/link").kind == LinkRead::Kind::absent);
}

TEST_CASE("a link with another text is malformed, and is not followed") {
    const TempDir dir;
    write_file(dir.path() / "outside", target + "\n");
    for (const std::string& text : {std::string("/etc"), std::string("../../../etc"),
                                    std::string("outside"), std::string("link"), target + "x",
                                    target + "/..", target.substr(0, 44), std::string(4000, 'x')}) {
        put_link(dir.path() / "link", text);
        INFO(text);
        CHECK(read(dir.path()).kind == LinkRead::Kind::malformed);
    }
}

TEST_CASE("a link of kind file that is cut off at any length is malformed") {
    if (kind() != LinkKind::file) return;  // a symlink's text can't be cut off
    const TempDir dir;
    const std::string whole = target + "\n";
    for (std::size_t length = 0; length < whole.size(); ++length) {
        write_file(dir.path() / "link", whole.substr(0, length));
        INFO(length);
        CHECK(read(dir.path()).kind == LinkRead::Kind::malformed);
    }
    for (const std::string& bytes :
         {whole + "\n", whole + "x", target + "\r\n", whole + std::string(1, '\0')}) {
        write_file(dir.path() / "link", bytes);
        CHECK(read(dir.path()).kind == LinkRead::Kind::malformed);
    }
}

TEST_CASE("a link of the other kind is foreign") {
    const TempDir dir;
    if (kind() == LinkKind::symlink) {
        write_file(dir.path() / "link", target + "\n");
    } else {
        fs::create_symlink(target, dir.path() / "link");
    }
    CHECK(read(dir.path()).kind == LinkRead::Kind::foreign);
}

TEST_CASE("a directory or a socket is foreign") {
    const TempDir dir;
    fs::create_directory(dir.path() / "directory");
    CHECK(read(dir.path(), "directory").kind == LinkRead::Kind::foreign);
    make_socket(dir.path() / "socket");
    CHECK(read(dir.path(), "socket").kind == LinkRead::Kind::foreign);
}

TEST_CASE("a FIFO is no link, and no read waits at it") {
    const TempDir dir;
    REQUIRE(::mkfifo((dir.path() / "fifo").c_str(), 0600) == 0);
    CHECK_FALSE(read(dir.path(), "fifo").kind == LinkRead::Kind::entry);
}

TEST_CASE("both kinds work on this file system, junctions do not, and the probe leaves nothing") {
    const TempDir dir;
    CHECK(link_kind_works(LinkKind::symlink, value(os::open_dir(dir.path()))));
    CHECK(link_kind_works(LinkKind::file, value(os::open_dir(dir.path()))));
    CHECK(link_kind_works(LinkKind::junction, value(os::open_dir(dir.path()))) ==
          os::has_junctions());
    CHECK(count_entries(dir.path()) == 0);
}
