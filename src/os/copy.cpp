// SPDX-License-Identifier: MIT
#include "os/copy.hpp"

namespace larder::os {

Result<NewFile> NewFile::create(const Dir& dir, const std::string& name) {
    TRY_ASSIGN(FileHandle file, open_at(dir, name, OpenMode::create_new));
    return NewFile(dir, name, std::move(file));
}

NewFile::~NewFile() {
    if (!file_) return;
    file_.reset();  // Windows keeps the name of a file that is open
    try {
        (void)remove_file_at(dir_, name_);
    } catch (...) {
        // There is no memory for the error that says why it can't be removed.
    }
}

bool is_failure(const std::error_code& error, Refusal refusal) noexcept {
    if (!error) return false;
    if (refusal == Refusal::is_error) return true;
    const Why why = why_of(error);
    return why == Why::no_space || why == Why::io || why == Why::no_memory;
}

}  // namespace larder::os
