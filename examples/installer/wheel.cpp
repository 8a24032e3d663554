// SPDX-License-Identifier: MIT
// The wheel format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
#include "wheel.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
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

// RECORD takes about 100 bytes for each file; more than this can't belong to a wheel within Limits::max_members.
constexpr std::size_t metadata_limit = std::size_t{32} << 20;

constexpr std::string_view blanks = " \t\r";

/// The same distribution however it is spelled: "Foo.Bar_baz" is "foo-bar-baz".
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

/// The directory's name without its ending, where the path lies in such a directory at the top of the archive.
std::string_view stem_of_top(std::string_view path, std::string_view ending) {
    const auto [top, rest] = split_first(path);
    if (rest.empty() || !top.ends_with(ending)) return {};
    return top.substr(0, top.size() - ending.size());
}

/// The value of a field in WHEEL, whose lines are "Field: value"; empty where there is none.
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

/// One inspection: the steps of inspect(), and what they share.
class Inspection {
public:
    Inspection(const WheelFile& wheel, const Limits& limits) : wheel_(wheel), limits_(limits) {}

    Result<Contents> run() {
        return check_directory()
            .and_then([this] { return list_members(); })
            .and_then([this] { return check_metadata(); })
            .and_then([this] { return place_members(); })
            .and_then([this] { return match_record(); })
            .map([this] { return std::move(contents_); });
    }

private:
    /// The archive's own directory is in order, and names what libarchive will show.
    Result<> check_directory() {
        const auto directory = read_directory(wheel_.path);
        if (!directory) return tl::unexpected(directory.error());
        for (const auto& line : directory->lines) {
            const std::string_view name = line.name;
            const bool is_directory = name.size() > 1 && name.ends_with('/');
            const auto path = name.substr(0, name.size() - (is_directory ? 1 : 0));
            if (const auto wrong = what_is_wrong_with(path); !wrong.empty())
                return refuse_member(harmless(name), wrong);
            named_.emplace(path);
        }
        if (directory->lines.size() > limits_.max_members) return refuse_wheel(too_many());
        return {};
    }

    /// Every member's path, and the text of the metadata.
    Result<> list_members() {
        auto archive = Archive::open(wheel_.path);
        if (!archive) return tl::unexpected(archive.error());
        while (true) {
            auto member = archive->next();
            if (!member) return tl::unexpected(member.error());
            if (!*member && !named_.empty())
                return refuse_wheel("has members that share their bytes");
            if (!*member) return {};
            const std::string path = (**member).path;
            // libarchive takes the name that stands before the member; others take the directory's.
            if (named_.extract(path).empty())
                return refuse_member(path, "has another name in the archive's directory");
            if ((**member).is_directory) {
                directories_.insert(path);
                continue;
            }
            if (!contents_.files.try_emplace(path).second)
                return refuse_member(path, "is there twice");
            if (auto read = read_metadata(*archive, path); !read) return read;
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
            const auto size = archive.read(buffer);
            if (!size) return tl::unexpected(size.error());
            if (*size == 0) return {};
            text.append(buffer.data(), *size);
            if (text.size() > metadata_limit)
                return refuse_member(path, "is larger than any metadata can be");
        }
    }

    /// There is one `.dist-info`, it belongs to this distribution, and says what has to be said.
    Result<> check_metadata() {
        std::set<std::string_view> found;
        for (const auto& [path, file] : contents_.files) {
            if (!stem_of_top(path, ".dist-info").empty()) found.insert(split_first(path).first);
        }
        if (found.size() != 1) {
            return refuse_wheel(fmt::format(
                "has {} directories named *.dist-info, and a wheel has one", found.size()));
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

    /// Where each member is installed; no two at one place, and none at another's directory.
    Result<> place_members() {
        std::map<std::string_view, std::string_view> placed;
        for (auto& [member, file] : contents_.files) {
            if (auto place = place_member(member, file); !place) return place;
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

    /// The installation schemes, laid out below one directory, as for everything that is installed with a target.
    Result<> place_member(const std::string& member, PlannedFile& file) {
        file.destination = member;
        if (stem_of_top(member, ".data").empty()) {
            // Signatures sign the archive's RECORD, which is not the one that is installed.
            for (const char* name : {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER"}) {
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
        // Else a wheel could speak for other distributions, or have a RECORD of its own making installed.
        if (!stem_of_top(file.destination, ".dist-info").empty())
            return refuse_member(member, "would be installed as metadata");
        return {};
    }

    /// RECORD and the archive name the same files, each with a good digest.
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
            // Some write the padding, which the format leaves out.
            while (file->second.digest.ends_with('=')) file->second.digest.pop_back();
        }
        for (const auto& [member, file] : contents_.files) {
            if (file.algorithm.empty() && !is_signature(member))
                return refuse_member(member, "is not listed in RECORD");
        }
        return {};
    }

    /// RECORD and what signs it: the files that it can't hold digests of.
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
    const Limits& limits_;
    Contents contents_;
    std::multiset<std::string> named_;  ///< in the archive's directory, and not met yet as members
    std::set<std::string> directories_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace

Result<std::string> seal_of(const fs::path& path) {
    const auto directory = read_directory(path);
    if (!directory) return tl::unexpected(directory.error());
    Digest digest;
    digest.add(directory->bytes);
    for (const auto& line : directory->lines) {
        const auto [top, name] = split_first(line.name);
        if (!top.ends_with(".dist-info") || name != "RECORD") continue;
        if (line.start == DirectoryLine::large || line.packed == DirectoryLine::large)
            return sha256_of_file(path);
        const auto record = raw_member(path, line);
        if (!record) return tl::unexpected(record.error());
        digest.add(*record);
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
    if (!complete || !file.ends_with(".whl") || !what_is_wrong_with(file).empty()) {
        return refuse("read wheel", path,
                      "not named as a wheel is: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl");
    }
    auto seal = seal_of(path);
    if (!seal) return tl::unexpected(seal.error());
    return WheelFile{path, parts[0], parts[1], fmt::format("{} seal:{}", file, *seal), *seal};
}

Result<Contents> inspect(const WheelFile& wheel, const Limits& limits) {
    return Inspection(wheel, limits).run();
}

}  // namespace installer
