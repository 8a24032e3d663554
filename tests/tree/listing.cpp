// SPDX-License-Identifier: MIT
// Listing a directory: every name once, even beside changes.
#include <algorithm>

#include "os/dir_reader.hpp"
#include "support.hpp"

namespace larder::os {

using namespace tree_test;

namespace {

using Start = Result<DirReader> (*)(const Dir&);

std::vector<std::string> names(DirReader& reader) {
    std::vector<std::string> found;
    for (;;) {
        const auto entry = reader.next();
        REQUIRE(entry);
        if (!*entry) break;
        found.emplace_back(entry->name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

TEST_CASE("a listing has every name once, for any number of names, and no \".\" and \"..\"") {
    const Start start = GENERATE(Start(DirReader::open), Start(DirReader::borrow));
    TempDir temp;
    std::vector<std::string> expected;
    for (int i = 0; i < 3000; ++i)
        expected.push_back("a-name-long-enough-to-need-a-second-call-" + std::to_string(i));
    for (const auto& name : expected) write(temp / name);
    std::sort(expected.begin(), expected.end());
    const Dir dir = open(temp.path());
    auto reader = start(dir);
    REQUIRE(reader);
    CHECK(names(*reader) == expected);
    write(temp / "..more");
    reader->rewind();
    CHECK(names(*reader).size() == expected.size() + 1);
}

TEST_CASE(
    "a directory that is removed while it is listed has no more names, and that is no error") {
    const Start start = GENERATE(Start(DirReader::open), Start(DirReader::borrow));
    TempDir temp;
    fs::create_directory(temp / "dir");
    const Dir dir = open(temp / "dir");
    auto reader = start(dir);
    REQUIRE(reader);
    fs::remove(temp / "dir");
    CHECK(names(*reader).empty());
}

}  // namespace larder::os
