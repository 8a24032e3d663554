// SPDX-License-Identifier: MIT
// Makes a socket that has a name. POSIX only.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "catch.hpp"
#include "os/posix/fd.hpp"

namespace larder::testing {

/// Makes a socket at a path of any length. An address holds only about a hundred bytes, so the
/// working directory is the socket's own directory meanwhile. No other thread may use a relative
/// path at that time.
inline void make_socket(const std::filesystem::path& path) {
    const os::Fd before(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const std::string name = path.filename().string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof address.sun_path);
    name.copy(address.sun_path, name.size());
    REQUIRE(::chdir(path.parent_path().c_str()) == 0);
    const int bound =
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    REQUIRE(::fchdir(before.get()) == 0);
    REQUIRE(bound == 0);
}

}  // namespace larder::testing
