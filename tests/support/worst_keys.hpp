// SPDX-License-Identifier: MIT
// Keys that some system takes for another name, for a device, or for no name at all.
#pragma once

#include <string>
#include <vector>

namespace larder::testing {

inline std::vector<std::string> worst_keys() {
    std::vector<std::string> keys = {
        // What a path means something else by.
        "",
        ".",
        "..",
        "...",
        "/",
        "//",
        "a/b",
        "../../format",
        "/etc/passwd",
        "a\\b",
        "\\\\?\\C:\\a",
        "C:",
        "c:a",
        "~",
        "~root",
        "-",
        "--",
        "-rf",
        "%",
        "%61",
        "%~",
        "a%00",
        // Names that differ only in what Windows or macOS leaves out of account.
        "key",
        "Key",
        "KEY",
        "key.",
        "key..",
        "key ",
        " key",
        "key. ",
        ".key",
        "key.txt",
        "KEY.TXT",
        "\xc3\xa9",
        "e\xcc\x81",
        "\xc3\x89",
        "stra\xc3\x9f"
        "e",
        "strasse",
        "\xc4\xb1",
        "i",
        "I",
        "progra~1",
        "PROGRA~1",
        "a\xc2\xa0"
        "b",
        "a b",
        // A stream of another file, and characters that Windows reserves.
        "key:stream",
        "key::$DATA",
        "key:",
        "a*b",
        "a?b",
        "a\"b",
        "a<b>c",
        "a|b",
        "a\tb",
        "a\nb",
        "\x01",
        "\x7f",
        std::string("a\0b", 3),
        // Devices that are no more than like a name of one.
        "console",
        "com",
        "com10",
        "lpt",
        "auxiliary",
        "nulls",
        "con-1",
    };
    for (const char* device : {"con", "prn", "aux", "nul", "com0", "com1", "com9", "lpt0", "lpt1",
                               "lpt9", "com\xc2\xb9", "conin$", "conout$", "clock$"}) {
        const std::string name = device;
        std::string capitals;
        for (const char c : name) capitals += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        for (const char* end : {"", ".", " ", ":", ".txt", ".tar.gz", " .txt"}) {
            keys.push_back(name + end);
            keys.push_back(capitals + end);
        }
    }
    for (const std::size_t length : {199U, 200U, 201U, 255U, 256U, 1000U, 4096U})
        keys.emplace_back(length, 'K');
    return keys;
}

}  // namespace larder::testing
