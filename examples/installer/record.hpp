// SPDX-License-Identifier: MIT
// Reads and writes RECORD, which lists the files of a distribution with their digests, as
// comma-separated values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace installer {

struct RecordLine {
    std::string path;
    std::string hash;  ///< "sha256=" and the digest, or empty
    std::string size;  ///< in bytes, or empty
};

/// Returns the lines of a RECORD. Returns nullopt if it is malformed: a quote does not end, or a
/// line does not have three fields.
[[nodiscard]] std::optional<std::vector<RecordLine>> parse_record(std::string_view text);

[[nodiscard]] std::string write_record(const std::vector<RecordLine>& lines);

}  // namespace installer
