// SPDX-License-Identifier: MIT
// Damages entries at random, and checks that each damage is found where it is, and that nothing is
// found in whole entries. Two runs with the same seed do the same.
//
//     content_damages [--count N] [--seed N] [--dir DIR]

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include <larder/content.hpp>
#include <larder/larder.hpp>

#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"

namespace {

namespace fs = std::filesystem;
namespace options = larder::options;

/// So many entries are published, checked, damaged and checked again at a time.
constexpr std::size_t batch = 50;

[[noreturn]] void give_up(const std::string& why) { throw std::runtime_error(why); }

template <class T>
T value(larder::Result<T> result) {
    if (!result) give_up(result.error().message());
    return std::move(*result);
}

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    if (!(out << bytes) || !out.flush()) give_up("cannot write " + path.string());
}

/// Makes trees and damages them.
class Damager {
public:
    explicit Damager(std::uint64_t seed) : random_(seed) {}

    /// Returns a number below `limit`. It is not uniform to the last bit, but the same on every
    /// machine, unlike the standard library's distributions.
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

    /// Fills a directory with files, directories and symlinks.
    void make_tree(const fs::path& top) {
        std::vector<fs::path> dirs{top};
        for (std::size_t i = 1 + below(12); i > 0; --i) {
            const fs::path path = dirs[below(dirs.size())] / fresh_name();
            const std::size_t kind = below(10);
            if (kind < 2) {
                fs::create_directory(path);
                dirs.push_back(path);
            } else if (kind == 2) {
                fs::create_symlink(fresh_name(), path);
            } else {
                write(path, bytes(below(8) == 0 ? below(200'000) : below(300)));
                if (below(3) == 0) fs::permissions(path, fs::perms(0755));
            }
        }
    }

    /// Damages one thing in the tree. Returns the paths at which that may be found.
    std::set<fs::path> damage(const fs::path& top) {
        std::vector<fs::path> all{top};
        for (const auto& each : fs::recursive_directory_iterator(top)) all.push_back(each.path());
        std::sort(all.begin(), all.end());
        for (;;) {
            const fs::path path = all[below(all.size())];
            const auto status = fs::symlink_status(path);
            const fs::path fresh = path.parent_path() / fresh_name();
            const bool is_top = path == top;
            switch (below(9)) {
                case 0:  // a byte
                    if (!fs::is_regular_file(status) || fs::file_size(path) == 0) continue;
                    flip(path);
                    return {path};
                case 1:  // the length
                    if (!fs::is_regular_file(status)) continue;
                    return cut_or_extend(path);
                case 2:  // the mode
                    if (fs::is_symlink(status)) continue;
                    if (!change_mode(path, status.permissions())) continue;
                    return {path};
                case 3:  // the name
                    if (is_top) continue;
                    fs::rename(path, fresh);
                    return {path, fresh};
                case 4:  // a file, a directory or a symlink less
                    if (is_top) continue;
                    fs::remove_all(path);
                    return {path};
                case 5:  // one more
                    if (!fs::is_directory(status)) continue;
                    return {add(path / fresh_name())};
                case 6:  // where a symlink leads; the new text may be as long as the old one
                    if (!fs::is_symlink(status)) continue;
                    fs::remove(path);
                    fs::create_symlink(fresh_name(), path);
                    return {path};
                case 7:  // the kind
                    if (!fs::is_regular_file(status)) continue;
                    fs::remove(path);
                    fs::create_symlink("x", path);
                    return {path};
                default:  // two files change places
                {
                    const fs::path other = all[below(all.size())];
                    if (!fs::is_regular_file(status) ||
                        !fs::is_regular_file(fs::symlink_status(other)) ||
                        read(path) == read(other))
                        continue;
                    const fs::path away = top.parent_path() / "away";
                    fs::rename(path, away);
                    fs::rename(other, path);
                    fs::rename(away, other);
                    return {path, other};
                }
            }
        }
    }

private:
    std::string fresh_name() { return "n" + std::to_string(1'000'000 + ++names_); }

    std::string bytes(std::size_t length) {
        std::string text(length, '\0');
        for (char& c : text) c = static_cast<char>(random_() % 256);
        return text;
    }

    void flip(const fs::path& path) {
        std::string text = read(path);
        char& byte = text[below(text.size())];
        byte = static_cast<char>(byte ^ static_cast<char>(1 + below(255)));
        write(path, text);
    }

    /// Changes one bit of the mode, but none of the owner, who must read the file later. Returns
    /// false if the system ignores that bit.
    bool change_mode(const fs::path& path, fs::perms before) {
        constexpr unsigned bits[] = {0001, 0002, 0004, 0010, 0020, 0040, 01000, 02000, 04000};
        fs::permissions(path, before ^ fs::perms(bits[below(std::size(bits))]));
        return fs::symlink_status(path).permissions() != before;
    }

    std::set<fs::path> cut_or_extend(const fs::path& path) {
        const auto size = fs::file_size(path);
        const bool cuts = size > 0 && below(2) == 0;
        fs::resize_file(path, cuts ? below(size) : size + 1 + below(10));
        return {path};
    }

    fs::path add(const fs::path& path) {
        switch (below(3)) {
            case 0:
                fs::create_directory(path);
                break;
            case 1:
                fs::create_symlink("x", path);
                break;
            default:
                write(path, bytes(below(2)));
        }
        return path;
    }

    std::mt19937_64 random_;
    std::uint64_t names_ = 0;
};

/// Publishes, checks, damages and checks `count` entries. Throws if a damage is not found, or if
/// something whole is called changed.
void run(const fs::path& root, std::size_t count, std::uint64_t seed) {
    Damager damager(seed);
    const auto cache = value(larder::Cache::open(root));
    const larder::ContentOptions check{.digests = {&larder::sha256()}};
    for (std::size_t done = 0; done < count;) {
        const auto bucket = value(cache.bucket("b"));
        std::vector<fs::path> trees;
        for (std::size_t i = std::min(batch, count - done); i > 0; --i, ++done) {
            auto staging = value(bucket.stage());
            damager.make_tree(staging.path());
            trees.push_back(value(bucket.publish(std::to_string(i), std::move(staging),
                                                 {.digest = &larder::sha256()}))
                                .path());
        }
        const auto whole = value(cache.verify_content(check));
        if (!whole.findings.empty() || whole.entries != trees.size())
            give_up("found in a whole entry: " + whole.findings.front().path.string());

        // Every second entry stays whole.
        std::vector<std::set<fs::path>> damages;
        for (std::size_t i = 0; i < trees.size(); i += 2)
            damages.push_back(damager.damage(trees[i]));
        const auto report = value(cache.verify_content(check));
        std::size_t found = 0;
        for (const auto& places : damages) {
            const bool is_found =
                std::any_of(report.findings.begin(), report.findings.end(),
                            [&](const auto& finding) { return places.contains(finding.path); });
            if (!is_found) give_up("not found: " + places.begin()->string());
        }
        for (const auto& finding : report.findings) {
            found += std::any_of(damages.begin(), damages.end(),
                                 [&](const auto& places) { return places.contains(finding.path); });
        }
        if (found != report.findings.size()) give_up("something whole is called changed");
        value(cache.verify_content({.digests = check.digests, .repair = true}));
        if (!value(cache.verify_content(check)).findings.empty()) give_up("not repaired");
        if (!bucket.refresh()) give_up("not refreshed");
        value(cache.collect());
    }
}

constexpr options::OptionSpec specs[] = {
    {"count", "N", "how many entries are published; every second one is damaged"},
    {"seed", "N", "what the entries and their damages are"},
    {"dir", "DIR", "where the cache is made"},
};

}  // namespace

int main(int argc, char** argv) try {
    const auto line = options::split({argv + 1, argv + argc}, specs, options::Repeats::refused);
    if (!line || !line->words.empty()) {
        std::fprintf(stderr, "usage: content_damages [--count N] [--seed N] [--dir DIR]\n");
        return 2;
    }
    const auto count = options::whole_number(line->value_or("count", "400"));
    const auto seed = options::whole_number(line->value_or("seed", "1"));
    if (!count || !seed) give_up("--count and --seed want whole numbers");
    std::string dir =
        (fs::path(line->value_or("dir", fs::temp_directory_path().string())) / "damages.XXXXXX")
            .string();
    if (::mkdtemp(dir.data()) == nullptr) give_up("cannot make " + dir);
    run(fs::path(dir) / "cache", *count, *seed);
    fs::remove_all(dir);
    std::printf(
        "seed %llu: of %llu entries every second one was damaged; all damages were found, and "
        "nothing else\n",
        static_cast<unsigned long long>(*seed), static_cast<unsigned long long>(*count));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
