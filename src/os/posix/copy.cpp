// SPDX-License-Identifier: MIT
#include "os/copy.hpp"

namespace larder::os {

Result<NewFile> NewFile::create(const Dir& dir, const std::string& name) {
    TRY_ASSIGN(FileHandle file, open_at(dir, name, OpenMode::create_new));
    return NewFile(dir, name, std::move(file));
}

NewFile::~NewFile() {
    if (!file_) return;
    try {
        (void)remove_file_at(dir_, name_);
    } catch (...) {
        // There is no memory for the error that says why it can't be removed.
    }
}

Result<> NewFile::complete(const FileInfo& source) {
    // Set the permissions in a call of their own, so that no umask alters them. Set the time last,
    // because writing changes it.
    if (const auto error = try_set_permissions(file_, source.permissions & copied_permissions))
        return fail(error, "set mode", dir_ / name_);
    if (const auto error = try_set_modified(file_, source.modified))
        return fail(error, "set time", dir_ / name_);
    if (const std::error_code error = close(std::move(file_))) {
        (void)remove_file_at(dir_, name_);
        return fail(error, "close", dir_ / name_);
    }
    return {};
}

}  // namespace larder::os
