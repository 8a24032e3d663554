// SPDX-License-Identifier: MIT
#include "digest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tree.hpp"

namespace installer {

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

std::string base64_url(std::string_view bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    unsigned bits = 0;
    int held = 0;
    for (const char c : bytes) {
        bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xffff;
        for (held += 8; held >= 6; held -= 6) text += digits[bits >> (held - 6) & 63];
    }
    if (held > 0) text += digits[bits << (6 - held) & 63];
    return text;
}

std::string record_hash(std::string_view content) {
    Digest digest;
    digest.add(content);
    return "sha256=" + base64_url(digest.finish());
}

Result<std::string> sha256_of_file(const fs::path& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_failure("open", path);
    Digest digest;
    // Large enough that the system calls cost little beside the hashing.
    std::vector<char> buffer(256 * 1024);
    while (true) {
        const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return system_failure("read", path);
        if (size == 0) return hex(digest.finish());
        digest.add({buffer.data(), static_cast<std::size_t>(size)});
    }
}

}  // namespace installer
