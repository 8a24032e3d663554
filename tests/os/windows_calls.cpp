// SPDX-License-Identifier: MIT
// What src/os/windows makes of paths, of owners and access control lists, of the list of processes,
// and of files that another program does not share.

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "catch.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_info.hpp"
#include "os/link.hpp"
#include "os/process.hpp"
#include "os/rename.hpp"
#include "os/unique.hpp"
#include "os/user.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/process_list.hpp"
#include "scratch.hpp"

// After <windows.h>, which it needs.
#include <sddl.h>

using namespace larder;
using namespace larder::testing;

namespace fs = std::filesystem;
namespace windows = larder::os::windows;

namespace {

/// Returns the path that the system's own calls are given for this one; "refused" if there is none.
std::wstring native_of(const std::wstring& path) {
    const windows::Path whole{fs::path(path)};
    return whole.status() < 0 ? L"refused" : std::wstring(whole.view());
}

struct LocalFreer {
    void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};

/// An owner and an access control list, written as the system prints them.
class Descriptor {
public:
    explicit Descriptor(const std::wstring& text) {
        PSECURITY_DESCRIPTOR made = nullptr;
        if (!::ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1,
                                                                    &made, nullptr))
            FAIL("no descriptor: error " << ::GetLastError());
        made_.reset(made);
    }
    [[nodiscard]] PSECURITY_DESCRIPTOR get() const noexcept { return made_.get(); }

private:
    std::unique_ptr<void, LocalFreer> made_;
};

bool lets_others_write(const std::wstring& text) {
    return windows::descriptor_lets_others_write(Descriptor(text).get());
}

/// Returns this user in the form in which the system prints it.
std::wstring this_user() {
    HANDLE token = nullptr;
    REQUIRE(::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token));
    const os::FileHandle closed_at_end = windows::own(token);
    alignas(TOKEN_USER) std::array<std::byte, 256> user{};
    DWORD size = 0;
    REQUIRE(::GetTokenInformation(token, TokenUser, user.data(), user.size(), &size));
    wchar_t* text = nullptr;
    REQUIRE(::ConvertSidToStringSidW(reinterpret_cast<TOKEN_USER*>(user.data())->User.Sid, &text));
    const std::unique_ptr<void, LocalFreer> owned(text);
    return text;
}

constexpr const wchar_t* stranger = L"S-1-5-21-1-2-3-1234";

/// Opens a file, and does not share its deletion, as a virus scanner may do.
os::FileHandle hold(const fs::path& path) {
    const HANDLE file =
        ::CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    return windows::own(file);
}

}  // namespace

TEST_CASE("a path becomes one of the system's own, of any length") {
    CHECK(native_of(L"C:\\a\\b") == L"\\??\\C:\\a\\b");
    CHECK(native_of(L"C:/a/./c/../b") == L"\\??\\C:\\a\\b");
    CHECK(native_of(L"C:\\") == L"\\??\\C:\\");
    CHECK(native_of(L"\\\\server\\share\\a") == L"\\??\\UNC\\server\\share\\a");
    CHECK(native_of(L"//server/share/a") == L"\\??\\UNC\\server\\share\\a");
    CHECK(native_of(L"\\\\?\\C:\\a\\..\\b") == L"\\??\\C:\\a\\..\\b");
    CHECK(native_of(L"\\\\?\\UNC\\server\\share") == L"\\??\\UNC\\server\\share");
    CHECK(native_of(L"\\??\\C:\\a") == L"\\??\\C:\\a");
    CHECK(native_of(L"\\\\.\\pipe\\a") == L"\\??\\pipe\\a");
    CHECK(native_of(L"") == L"refused");
    const auto here = fs::current_path().wstring();
    CHECK(native_of(L"a") == L"\\??\\" + here + (here.ends_with(L'\\') ? L"a" : L"\\a"));
    const std::wstring part = L"\\" + std::wstring(99, L'p');
    std::wstring whole = L"C:";
    for (int i = 0; i < 300; ++i) whole += part;
    CHECK(native_of(whole) == L"\\??\\" + whole);
    CHECK(native_of(whole + L"\\.." + part) == L"\\??\\" + whole);
    for (int i = 0; i < 30; ++i) whole += part;
    CHECK(native_of(whole) == L"refused");
    CHECK(native_of(L"\\\\?\\" + whole) == L"refused");
}

TEST_CASE("a file is safe if a trusted user owns it and only such users may write") {
    const std::wstring me = this_user();
    const std::wstring all_mine = L"D:(A;;FA;;;" + me + L")";
    CHECK_FALSE(lets_others_write(L"O:" + me + all_mine));
    // What a directory below C:\Users has, and what an administrator's program makes there.
    const std::wstring usual = all_mine + L"(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
    CHECK_FALSE(lets_others_write(L"O:" + me + usual));
    CHECK_FALSE(lets_others_write(L"O:BA" + usual));
    CHECK_FALSE(lets_others_write(L"O:SY" + usual));
    // The same in a directory of another user: that user may change the list.
    CHECK(lets_others_write(L"O:" + std::wstring(stranger) + usual));
    CHECK(lets_others_write(L"O:" + std::wstring(stranger) + L"D:(A;;FA;;;SY)(A;;FA;;;BA)"));
    CHECK(lets_others_write(L"O:" + me + all_mine + L"(A;;FA;;;" + stranger + L")"));
    CHECK(lets_others_write(L"O:" + me + all_mine + L"(A;;FA;;;WD)"));
    CHECK_FALSE(lets_others_write(L"O:" + me + all_mine + L"(A;;FR;;;WD)"));
    CHECK_FALSE(lets_others_write(L"O:" + me + all_mine + L"(D;;FA;;;WD)"));
    // What is made below belongs to the user who makes it.
    CHECK_FALSE(lets_others_write(L"O:" + me + all_mine + L"(A;OICIIO;FA;;;CO)"));
    CHECK(lets_others_write(L"O:" + me));
}

TEST_CASE("a new directory is this user's alone, until its list says otherwise") {
    const Scratch root;
    must(os::make_dir_at(root, "d"));
    const os::Dir dir = must(os::open_dir_at(root, "d"));
    const auto info = must(os::stat_of(dir));
    CHECK(os::may_let_others_write(info));
    CHECK_FALSE(os::others_may_write(dir.handle, info));
    const Descriptor open_to_all(L"D:(A;;FA;;;WD)");
    REQUIRE(::SetFileSecurityW((root.path() / "d").c_str(), DACL_SECURITY_INFORMATION,
                               open_to_all.get()));
    CHECK(os::others_may_write(dir.handle, info));
}

TEST_CASE("the list of processes tells when each was started") {
    const auto own = windows::start_of_process(static_cast<std::uint64_t>(os::process_id()));
    REQUIRE(own.has_value());
    CHECK(*own != 0);
    CHECK(*own == os::this_process().start);
    CHECK(windows::start_of_process(0xfffffff1) == 0);  // every pid is divisible by 4
}

TEST_CASE("the boot has an id if the system has a session manager") {
    const bool is_known = windows::start_of_first_program() != 0;
    CHECK(os::boot_id_is_real() == is_known);
    CHECK((os::boot_id() != os::BootId{}) == is_known);
    CHECK(os::boot_id() == os::boot_id());
    CHECK(os::this_process().boot == os::boot_id());
}

TEST_CASE("a call that changes a name waits for a program that does not share it") {
    using clock = std::chrono::steady_clock;
    constexpr auto half_a_second = std::chrono::milliseconds(500);
    const Scratch root;
    must(os::write_new_file_at(root, "f", "text"));
    must(os::write_new_file_at(root, "g", "text"));
    auto holder = hold(root.path() / "f");
    const auto takes_long = [&](auto call) {
        const auto started = clock::now();
        const Result<> result = call();
        REQUIRE_FALSE(result);
        CHECK(result.error().code == Errc::busy);
        return clock::now() - started >= half_a_second;
    };
    CHECK(takes_long([&] { return os::rename_new(root, "f", root, "h"); }));
    CHECK(takes_long([&] { return os::rename_replacing(root, "f", root, "g"); }));
    CHECK(takes_long([&] { return os::rename_replacing(root, "g", root, "f"); }));
    CHECK(takes_long([&] { return os::remove_file_at(root, "f"); }));
    const auto refused = os::rename_new_at_once(root, "f", root, "h");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::busy);
    holder.reset();
    must(os::rename_new(root, "f", root, "h"));
}

TEST_CASE("a junction is made, followed, and set again while a reader has a file open",
          "[not-wine]") {
    const Scratch scratch;
    const os::Dir& root = scratch;
    const std::string here = must(os::junction_path_of(root));
    CHECK(here.find('\\') == std::string::npos);
    for (const char* name : {"one", "two"}) {
        const os::Dir dir = must(os::make_and_open_dir_at(root, name));
        must(os::write_new_file_at(dir, "f", name));
    }
    must(os::make_junction_at(root, "j", here + "/one"));
    CHECK(os::read_junction_at(root, "j") == here + "/one");
    CHECK(must(os::stat_at(root, "j")).is_symlink());
    CHECK(why_of(os::make_junction_at(root, "j", here + "/two")) == Why::exists);
    const fs::path file = scratch.path() / "j" / "f";
    const os::FileHandle reader = must(os::open_at(root, "one/f", os::OpenMode::read));

    const os::FileHandle junction = must(os::open_junction_at(root, "j"));
    must(os::set_junction(junction, here + "/two", "j"));
    CHECK(os::read_junction_at(root, "j") == here + "/two");
    CHECK(fs::file_size(file) == 3);
    std::array<char, 8> text{};
    CHECK(must(os::read_some(reader, text.data(), text.size())) == 3);
    CHECK(std::string(text.data(), 3) == "one");
    // What is open is set, wherever it is by then.
    must(os::rename_new(root, "j", root, "moved"));
    must(os::set_junction(junction, here + "/one", "j"));
    CHECK(os::read_junction_at(root, "moved") == here + "/one");
}

TEST_CASE("a junction is removed as a link, and what it leads to stays", "[not-wine]") {
    const Scratch scratch;
    const os::Dir& root = scratch;
    const os::Dir dir = must(os::make_and_open_dir_at(root, "dir"));
    must(os::write_new_file_at(dir, "f", "text"));
    must(os::make_junction_at(root, "j", must(os::junction_path_of(dir))));
    must(os::remove_file_at(root, "j"));
    CHECK(must(os::exists_at(dir, "f")));
    CHECK_FALSE(must(os::exists_at(root, "j")));
}

TEST_CASE("what is no junction is not opened to be set") {
    const Scratch scratch;
    const os::Dir& root = scratch;
    must(os::write_new_file_at(root, "file", "text"));
    must(os::make_dir_at(root, "empty"));
    const os::Dir full = must(os::make_and_open_dir_at(root, "full"));
    must(os::write_new_file_at(full, "f", "text"));
    CHECK(why_of(os::open_junction_at(root, "file")) == Why::invalid);
    CHECK(why_of(os::open_junction_at(root, "none")) == Why::absent);
    CHECK(os::why_of(os::read_junction_at(root, "file")) == Why::invalid);
    CHECK(os::why_of(os::read_junction_at(root, "empty")) == Why::invalid);
    CHECK(os::is_unset_junction_at(root, "empty"));
    CHECK_FALSE(os::is_unset_junction_at(root, "full"));
    CHECK_FALSE(os::is_unset_junction_at(root, "file"));
}
