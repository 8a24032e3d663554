// SPDX-License-Identifier: MIT
// A page of a file that several processes map into their memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

namespace cachetool::system {

class SharedPage {
public:
    enum class Start { zeroed, as_it_is };

    /// Opens the file, or makes it, and maps its first page. With `zeroed` it writes zeros there
    /// first. If any of this fails, error() says why.
    SharedPage(const std::filesystem::path& path, Start start);
    ~SharedPage();
    SharedPage(const SharedPage&) = delete;
    SharedPage& operator=(const SharedPage&) = delete;

    /// Returns why there is no page, or no error.
    [[nodiscard]] std::error_code error() const { return error_; }

    /// Returns a word of the mapped page. Requires: no error().
    [[nodiscard]] std::atomic<std::uint64_t>& word(std::size_t index) const {
        return words_[index];
    }
    /// Reads the word from the file, as a process does that has not mapped it. Returns nullopt if
    /// that fails.
    [[nodiscard]] std::optional<std::uint64_t> word_in_file(std::size_t index) const;

private:
    std::intptr_t file_;  ///< a descriptor, or a HANDLE of Windows
    std::atomic<std::uint64_t>* words_ = nullptr;
    std::error_code error_;
};

}  // namespace cachetool::system
