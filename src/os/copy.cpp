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

Result<bool> NewFile::complete(const FileHandle& source, const FileInfo& info, Refusal refusal) {
    // Set the attributes first, while this process may still write to the file.
    const auto has_attributes = copy_attributes(source, file_);
    if (!has_attributes) return fail(has_attributes.error(), "set attributes", dir_ / name_);
    // Set the permissions in a call of their own, so that no umask alters them.
    const auto mode_error = try_set_permissions(file_, info.permissions & copied_permissions);
    if (is_failure(mode_error, refusal)) return fail(mode_error, "set mode", dir_ / name_);
    // Set the time last, because writing changes it.
    const auto time_error = try_set_modified(file_, info.modified);
    if (is_failure(time_error, refusal)) return fail(time_error, "set time", dir_ / name_);
    // From here on the destructor does not remove the file, because its handle is given away.
    if (const auto error = close(std::move(file_))) {
        (void)remove_file_at(dir_, name_);
        return fail(error, "close", dir_ / name_);
    }
    return *has_attributes && !mode_error && !time_error;
}

}  // namespace larder::os
