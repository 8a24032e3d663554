// SPDX-License-Identifier: MIT
// RECORD: the list of a distribution's files with their digests, as comma-separated values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace installer {

struct RecordLine {
    std::string path;
    std::string hash;  ///< "sha256=…", or empty
    std::string size;  ///< in bytes, or empty
};

/// The lines of a RECORD, or nothing where it is no such list (a quote that never ends, more or fewer than three fields).
[[nodiscard]] std::optional<std::vector<RecordLine>> parse_record(std::string_view text);

[[nodiscard]] std::string write_record(const std::vector<RecordLine>& lines);

}  // namespace installer
