// SPDX-License-Identifier: MIT
#include "cachetool/system/shared_page.hpp"

#include <array>

#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {
namespace {

constexpr std::size_t page_size = 4096;

bool write_zeros(HANDLE file) {
    constexpr std::array<char, page_size> zeros{};
    DWORD put = 0;
    return ::WriteFile(file, zeros.data(), page_size, &put, nullptr) && put == page_size;
}

}  // namespace

SharedPage::SharedPage(const std::filesystem::path& path, Start start)
    : file_(windows::open_or_make(path)) {
    const HANDLE file = windows::handle_of(file_);
    if (file == INVALID_HANDLE_VALUE || (start == Start::zeroed && !write_zeros(file))) {
        error_ = last_error();
        return;
    }
    const windows::ScopedHandle mapping(
        ::CreateFileMappingW(file, nullptr, PAGE_READWRITE, 0, page_size, nullptr));
    void* const at =
        mapping ? ::MapViewOfFile(mapping.get(), FILE_MAP_WRITE, 0, 0, page_size) : nullptr;
    if (at == nullptr) error_ = last_error();
    words_ = static_cast<std::atomic<std::uint64_t>*>(at);
}

SharedPage::~SharedPage() {
    if (words_ != nullptr) ::UnmapViewOfFile(words_);
    windows::close(file_);
}

std::optional<std::uint64_t> SharedPage::word_in_file(std::size_t index) const {
    std::uint64_t word = 0;
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(index * sizeof word);
    DWORD got = 0;
    if (!::ReadFile(windows::handle_of(file_), &word, sizeof word, &got, &place) ||
        got != sizeof word)
        return std::nullopt;
    return word;
}

}  // namespace cachetool::system
