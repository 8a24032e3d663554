// SPDX-License-Identifier: MIT
// The wheel format:
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/
#include "wheel.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>
#include <vector>

#include "archive.hpp"
#include "digest.hpp"
#include "entry_points.hpp"
#include "record.hpp"
#include "tree.hpp"
#include "zip_directory.hpp"

namespace installer {

namespace {

// RECORD has about 100 bytes for each file. A wheel with more than this has too many members.
constexpr std::size_t metadata_limit = std::size_t{32} << 20;

constexpr std::string_view blanks = " \t\r";

/// Returns one spelling for all spellings of a name: "Foo.Bar_baz" becomes "foo-bar-baz".
std::string normalized(std::string_view name) {
    std::string text;
    for (const char c : name) {
        const bool separator = c == '-' || c == '_' || c == '.';
        if (separator && text.ends_with('-')) continue;
        text += separator ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return {path, {}};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

/// If the first directory of a path has this ending, returns its name without the ending. Otherwise
/// returns an empty text.
std::string_view stem_of_top(std::string_view path, std::string_view ending) {
    const auto [top, rest] = split_first(path);
    if (rest.empty() || !top.ends_with(ending)) return {};
    return top.substr(0, top.size() - ending.size());
}

/// Returns the value of a field of WHEEL, whose lines are "Field: value", or an empty text.
std::string field_of(std::string_view text, std::string_view field) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.starts_with(field) || !line.substr(field.size()).starts_with(':')) continue;
        const auto value = line.substr(field.size() + 1);
        const auto first = value.find_first_not_of(blanks);
        if (first == std::string_view::npos) return {};
        return std::string(value.substr(first, value.find_last_not_of(blanks) - first + 1));
    }
    return {};
}

/// Makes the steps of inspect(), and holds what they share.
class Inspector {
public:
    Inspector(const WheelFile& wheel, const WheelLimits& limits) : wheel_(wheel), limits_(limits) {}

    Result<Contents> run() {
        LARDER_TRY(check_directory());
        LARDER_TRY(list_members());
        LARDER_TRY(check_metadata());
        LARDER_TRY(choose_destinations());
        LARDER_TRY(match_record());
        return std::move(contents_);
    }

private:
    /// Checks the names in the archive's directory, and lists them for list_members.
    Result<> check_directory() {
        LARDER_TRY_ASSIGN(const auto directory, read_directory(wheel_.path));
        for (const auto& line : directory.lines) {
            const std::string_view name = line.name;
            const bool is_directory = name.size() > 1 && name.ends_with('/');
            const auto path = name.substr(0, name.size() - (is_directory ? 1 : 0));
            if (const auto fault = fault_of_path(path); !fault.empty())
                return refuse_member(printable(name), fault);
            named_.emplace(path);
        }
        if (directory.lines.size() > limits_.max_members) return refuse_wheel(too_many());
        return {};
    }

    /// Lists the path of every member, and reads the metadata.
    Result<> list_members() {
        LARDER_TRY_ASSIGN(auto archive, Archive::open(wheel_.path));
        while (true) {
            LARDER_TRY_ASSIGN(const auto member, archive.next());
            if (!member && !named_.empty())
                return refuse_wheel("has members that share their bytes");
            if (!member) return {};
            const std::string& path = member->path;
            // A member has a name before its bytes, which libarchive uses, and one in the
            // directory, which other readers use.
            if (named_.extract(path).empty())
                return refuse_member(path, "has another name in the archive's directory");
            if (member->is_directory) {
                directories_.insert(path);
                continue;
            }
            if (!contents_.files.try_emplace(path).second)
                return refuse_member(path, "is there twice");
            LARDER_TRY(read_metadata(archive, path));
        }
    }

    Result<> read_metadata(Archive& archive, const std::string& path) {
        if (stem_of_top(path, ".dist-info").empty()) return {};
        const std::string_view file = split_first(path).second;
        if (file != "WHEEL" && file != "RECORD" && file != "METADATA" && file != "entry_points.txt")
            return {};
        std::string& text = metadata_[path];
        std::array<char, 16 * 1024> buffer;
        while (true) {
            LARDER_TRY_ASSIGN(const auto size, archive.read(buffer));
            if (size == 0) return {};
            text.append(buffer.data(), size);
            if (text.size() > metadata_limit)
                return refuse_member(path, "is larger than any metadata can be");
        }
    }

    /// Checks that there is one `.dist-info`, that it belongs to this distribution, and that it has
    /// the files that it needs.
    Result<> check_metadata() {
        std::set<std::string_view> found;
        for (const auto& [path, file] : contents_.files) {
            if (!stem_of_top(path, ".dist-info").empty()) found.insert(split_first(path).first);
        }
        if (found.size() != 1) {
            return refuse_wheel(fmt::format(
                "has {} directories named *.dist-info, but a wheel has one", found.size()));
        }
        contents_.dist_info = *found.begin();
        const std::string name = contents_.dist_info.substr(0, contents_.dist_info.find('-'));
        if (normalized(name) != normalized(wheel_.name)) {
            return refuse_wheel(
                fmt::format("is another distribution inside: {}", contents_.dist_info));
        }
        for (const char* needed : {"WHEEL", "METADATA", "RECORD"}) {
            if (metadata_.count(in_dist_info(needed)) == 0)
                return refuse_wheel(fmt::format("has no {}", in_dist_info(needed)));
        }
        const std::string version = field_of(metadata_[in_dist_info("WHEEL")], "Wheel-Version");
        if (!version.starts_with("1.")) {
            return refuse_member(
                in_dist_info("WHEEL"),
                version.empty()
                    ? "has no Wheel-Version"
                    : fmt::format("has Wheel-Version {}, which is not known here", version));
        }
        if (!parse_entry_points(metadata_[in_dist_info("entry_points.txt")])) {
            return refuse_member(in_dist_info("entry_points.txt"),
                                 "has a malformed section or command");
        }
        return {};
    }

    /// Chooses where each member is installed. No two members share a destination, and no file is
    /// where another one needs a directory.
    Result<> choose_destinations() {
        std::map<std::string_view, std::string_view> placed;
        for (auto& [member, file] : contents_.files) {
            LARDER_TRY(choose_destination(member, file));
            if (directories_.count(member) != 0)
                return refuse_member(member, "is there twice, as a file and as a directory");
            const auto [other, is_new] = placed.emplace(file.destination, member);
            if (!is_new)
                return refuse_member(member,
                                     fmt::format("would be installed over '{}'", other->second));
        }
        std::set<std::string_view> directories;
        for (const auto& [destination, member] : placed) {
            for (auto slash = destination.find('/'); slash != std::string_view::npos;
                 slash = destination.find('/', slash + 1)) {
                directories.insert(destination.substr(0, slash));
                if (const auto file = placed.find(destination.substr(0, slash));
                    file != placed.end()) {
                    return refuse_member(
                        member,
                        fmt::format("needs a directory where the file '{}' is", file->second));
                }
            }
            // One long path can ask for a thousand directories.
            if (directories.size() + placed.size() > limits_.max_members)
                return refuse_wheel(too_many());
        }
        return {};
    }

    /// Puts the installation schemes below one directory, as `pip install --target` does.
    Result<> choose_destination(const std::string& member, PlannedFile& file) {
        file.destination = member;
        if (stem_of_top(member, ".data").empty()) {
            // The signatures sign the archive's RECORD, which is not the one that is installed.
            for (const char* name : {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED",
                                     "direct_url.json"}) {
                if (member == in_dist_info(name)) file.is_dropped = true;
            }
            return {};
        }
        const auto [scheme, path] = split_first(split_first(member).second);
        if (path.empty()) return refuse_member(member, "lies in no installation scheme");
        if (scheme == "purelib" || scheme == "platlib" || scheme == "data") {
            file.destination = path;
        } else if (scheme == "scripts") {
            file.destination = fmt::format("bin/{}", path);
            file.is_script = true;
        } else if (scheme == "headers") {
            file.destination = fmt::format("include/{}/{}", wheel_.name, path);
        } else {
            return refuse_member(
                member,
                fmt::format("belongs to an installation scheme that is not known here, '{}'",
                            scheme));
        }
        // Otherwise a wheel could install metadata of other distributions, or its own RECORD.
        if (!stem_of_top(file.destination, ".dist-info").empty())
            return refuse_member(member, "would be installed as metadata");
        return {};
    }

    /// Checks that RECORD and the archive name the same files, and that each has a good digest.
    Result<> match_record() {
        const std::string record = in_dist_info("RECORD");
        const auto lines = parse_record(metadata_[record]);
        if (!lines) return refuse_member(record, "is malformed");
        std::set<std::string_view> seen;
        for (const auto& line : *lines) {
            if (!seen.insert(line.path).second)
                return refuse_member(record, fmt::format("lists '{}' twice", line.path));
            if (is_signature(line.path)) continue;
            const auto file = contents_.files.find(line.path);
            if (file == contents_.files.end())
                return refuse_member(record,
                                     fmt::format("lists '{}', which is missing", line.path));
            const auto equals = std::min(line.hash.find('='), line.hash.size());
            file->second.algorithm = line.hash.substr(0, equals);
            if (!Digest::knows(file->second.algorithm)) {
                return refuse_member(
                    record,
                    fmt::format("has no digest of '{}' that is good enough (SHA-256 or better)",
                                line.path));
            }
            file->second.digest = line.hash.substr(equals + 1);
            // Some tools write the padding, which the format leaves out.
            while (file->second.digest.ends_with('=')) file->second.digest.pop_back();
        }
        for (const auto& [member, file] : contents_.files) {
            if (file.algorithm.empty() && !is_signature(member))
                return refuse_member(member, "is not listed in RECORD");
        }
        return {};
    }

    /// Returns true for RECORD and its signatures, of which RECORD cannot have digests.
    [[nodiscard]] bool is_signature(std::string_view path) const {
        return path == in_dist_info("RECORD") || path == in_dist_info("RECORD.jws") ||
               path == in_dist_info("RECORD.p7s");
    }

    [[nodiscard]] std::string in_dist_info(std::string_view name) const {
        return fmt::format("{}/{}", contents_.dist_info, name);
    }

    [[nodiscard]] std::string too_many() const {
        return fmt::format("has more than {} files and directories, which is the limit",
                           limits_.max_members);
    }
    [[nodiscard]] tl::unexpected<Error> refuse_wheel(std::string why) const {
        return refuse("check wheel", wheel_.path, std::move(why));
    }
    [[nodiscard]] tl::unexpected<Error> refuse_member(std::string_view member,
                                                      std::string_view why) const {
        return refuse("check wheel", wheel_.path, fmt::format("member '{}' {}", member, why));
    }

    const WheelFile& wheel_;
    const WheelLimits& limits_;
    Contents contents_;
    std::multiset<std::string>
        named_;  ///< in the archive's directory, but not yet among the members
    std::set<std::string> directories_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace

Result<std::string> seal_of(const fs::path& path) {
    LARDER_TRY_ASSIGN(const auto directory, read_directory(path));
    Digest digest;
    digest.add(directory.bytes);
    for (const auto& line : directory.lines) {
        const auto [top, name] = split_first(line.name);
        if (!top.ends_with(".dist-info") || name != "RECORD") continue;
        if (line.start == DirectoryLine::large || line.packed == DirectoryLine::large)
            return sha256_of_file(path);
        LARDER_TRY_ASSIGN(const auto record, raw_member(path, line));
        digest.add(record);
    }
    return hex(digest.finish());
}

Result<WheelFile> identify(const fs::path& path) {
    const std::string file = path.filename().string();
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= file.size();) {
        const auto end = std::min(file.find('-', start), file.size());
        parts.push_back(file.substr(start, end - start));
        start = end + 1;
    }
    const bool complete = (parts.size() == 5 || parts.size() == 6) &&
                          std::none_of(parts.begin(), parts.end(),
                                       [](const std::string& part) { return part.empty(); });
    if (!complete || !file.ends_with(".whl") || !fault_of_path(file).empty()) {
        return refuse("read wheel", path,
                      "not named as a wheel is: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl");
    }
    LARDER_TRY_ASSIGN(const auto seal, seal_of(path));
    return WheelFile{path, parts[0], parts[1], fmt::format("{} seal:{}", file, seal), seal};
}

Result<Contents> inspect(const WheelFile& wheel, const WheelLimits& limits) {
    return Inspector(wheel, limits).run();
}

}  // namespace installer
