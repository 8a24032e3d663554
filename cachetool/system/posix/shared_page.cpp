// SPDX-License-Identifier: MIT
#include "cachetool/system/shared_page.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {
namespace {

constexpr std::size_t page_size = 4096;  // no machine has smaller pages

bool write_zeros(int fd) {
    constexpr std::array<char, page_size> zeros{};
    return retry([&] { return ::write(fd, zeros.data(), zeros.size()); }) ==
           static_cast<ssize_t>(zeros.size());
}

}  // namespace

SharedPage::SharedPage(const std::filesystem::path& path, Start start)
    : file_(retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); })) {
    const int descriptor = static_cast<int>(file_);
    if (file_ < 0 || (start == Start::zeroed && !write_zeros(descriptor))) {
        error_ = last_error();
        return;
    }
    void* const at = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (at == MAP_FAILED) {
        error_ = last_error();
    } else {
        words_ = static_cast<std::atomic<std::uint64_t>*>(at);
    }
}

SharedPage::~SharedPage() {
    if (words_ != nullptr) ::munmap(static_cast<void*>(words_), page_size);
    if (file_ >= 0) ::close(static_cast<int>(file_));
}

std::optional<std::uint64_t> SharedPage::word_in_file(std::size_t index) const {
    std::uint64_t word = 0;
    const auto at = static_cast<off_t>(index * sizeof word);
    const auto got =
        retry([&] { return ::pread(static_cast<int>(file_), &word, sizeof word, at); });
    if (got != sizeof word) return std::nullopt;
    return word;
}

}  // namespace cachetool::system
