// SPDX-License-Identifier: MIT
// The words for the system's reasons, and the codes that belong to them.

#include <cerrno>
#include <set>

#include "catch.hpp"
#include "os/error.hpp"

using namespace larder;

namespace {

constexpr int last_why = static_cast<int>(Why::other);

Error error_of(int number) { return os::fail(number, "try", "/place").value(); }

}  // namespace

TEST_CASE("every reason has a name of its own") {
    std::set<std::string_view> names;
    for (int why = 0; why <= last_why; ++why) names.insert(name_of(static_cast<Why>(why)));
    CHECK(names.size() == static_cast<std::size_t>(last_why) + 1);
    CHECK(name_of(Why::none) == "none");
    CHECK(name_of(Why::too_many_open_files) == "too_many_open_files");
}

TEST_CASE("an error made of a reason has a number that means this reason") {
    for (int why = 1; why < last_why; ++why) {
        const Error error = os::fail(static_cast<Why>(why), "try", {}).value();
        INFO(name_of(error.why));
        CHECK(error.why == static_cast<Why>(why));
        CHECK(error.sys_errno != 0);
        CHECK(os::why_of(error.sys_errno) == error.why);
    }
}

TEST_CASE("a number decides the reason and the code") {
    CHECK(error_of(ENOENT).why == Why::absent);
    CHECK(error_of(ENOENT).code == Errc::system);
    CHECK(error_of(ENOSPC).why == Why::no_space);
    CHECK(error_of(EDQUOT).why == Why::no_space);
    CHECK(error_of(EDQUOT).code == Errc::no_space);
    CHECK(error_of(EDQUOT).sys_errno == EDQUOT);
    CHECK(error_of(EROFS).code == Errc::read_only);
    CHECK(error_of(EEXIST).code == Errc::exists);
    CHECK(error_of(ENOTEMPTY).why == Why::not_empty);
    CHECK(error_of(ENOTEMPTY).code == Errc::exists);
    CHECK(error_of(EXDEV).why == Why::cross_device);
    CHECK(error_of(EXDEV).code == Errc::unsupported);
    CHECK(error_of(ENOSYS).why == Why::not_supported);
    CHECK(error_of(EACCES).why == Why::denied);
    CHECK(error_of(EPERM).why == Why::not_permitted);
    CHECK(error_of(ECHILD).why == Why::other);
    CHECK(error_of(ECHILD).code == Errc::system);
}

TEST_CASE("an error of the standard library becomes the same error") {
    const Error error =
        os::fail(std::make_error_code(std::errc::no_such_file_or_directory), "try", "/place")
            .value();
    CHECK(error.why == Why::absent);
    CHECK(error.message() == "try /place: No such file or directory");
}

TEST_CASE("results are asked for their reason") {
    const auto failed = [](int number) -> Result<int> { return os::fail(number, "try", {}); };
    CHECK(why_of(Result<int>(1)) == Why::none);
    CHECK_FALSE(is_absent(Result<int>(1)));
    CHECK(is_absent(failed(ENOENT)));
    CHECK_FALSE(is_no_directory(failed(ENOENT)));
    CHECK(has_no_directory(failed(ENOENT)));
    for (const int number : {ENOTDIR, ELOOP}) {
        CHECK(is_no_directory(failed(number)));
        CHECK(has_no_directory(failed(number)));
        CHECK_FALSE(is_absent(failed(number)));
    }
    CHECK_FALSE(has_no_directory(failed(EACCES)));
    const Result<> own = fail(Errc::invalid, "try", {}, "larder's own reason");
    CHECK(why_of(own) == Why::none);
}
