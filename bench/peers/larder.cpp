// SPDX-License-Identifier: MIT
// Drives the library itself, in three variants. harness.py describes the protocol of drivers.
//
//     peers_larder plain|power|sha512 PHASE STORE SOURCES FIRST LAST
//
// `power` publishes entries that survive a power cut. `sha512` shows what hashing costs, which some
// peers do: put writes the SHA-512 of each file into the entry, and get compares it.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <openssl/evp.h>
#include <sstream>
#include <string>
#include <string_view>

#include <larder/larder.hpp>

namespace {

namespace fs = std::filesystem;

constexpr int file_count = 10;
constexpr std::size_t file_bytes = 4096;
constexpr std::string_view sums_name = "sums";

enum class Variant { plain, power, sha512 };

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "peers_larder: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(larder::Result<T> result) {
    if (!result) give_up(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string hex_digest(const EVP_MD* kind, std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kind, nullptr) != 1)
        give_up("no such digest");
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

/// Appends the content of a file to `into`. Returns false if the file cannot be read.
bool append_file(const std::string& path, std::string& into) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const std::size_t before = into.size();
    into.resize(before + 2 * file_bytes);
    const ssize_t got = ::read(file, into.data() + before, 2 * file_bytes);
    ::close(file);
    into.resize(before + static_cast<std::size_t>(got < 0 ? 0 : got));
    return got >= 0;
}

/// Returns a line with the SHA-512 of each file of a directory. Leaves their content in `content`.
std::string sums_of(const std::string& directory, std::string& content) {
    std::string sums;
    content.clear();
    for (int i = 0; i < file_count; ++i) {
        const std::size_t begin = content.size();
        if (!append_file(directory + "/" + std::to_string(i), content))
            give_up("can't read " + directory);
        sums += hex_digest(EVP_sha512(), std::string_view(content).substr(begin)) + "\n";
    }
    return sums;
}

class Driver {
public:
    Driver(Variant variant, const fs::path& store, fs::path sources)
        : variant_(variant),
          sources_(std::move(sources)),
          cache_(must(larder::Cache::open(store / "cache"))),
          bucket_(must(cache_.bucket("bench-v1"))) {}

    larder::Result<> put(int entry) {
        const fs::path source = sources_ / name_of(entry);
        LARDER_TRY_ASSIGN(auto stage, bucket_.stage());
        LARDER_TRY(stage.copy_from(source));
        if (variant_ == Variant::sha512)
            std::ofstream(stage.path() / sums_name) << sums_of(stage.path(), content_);
        const auto durability =
            variant_ == Variant::power ? larder::Durability::power : larder::Durability::process;
        LARDER_TRY(bucket_.publish(name_of(entry), std::move(stage),
                                   {.durability = durability, .producer = "peers"}));
        return {};
    }

    /// Returns all bytes of the entry. They are valid until the next get.
    larder::Result<std::string_view> get(int entry) {
        LARDER_TRY_ASSIGN(const auto lease, bucket_.get(name_of(entry)));
        const std::string path = lease.path();
        if (variant_ == Variant::sha512) {
            const std::string sums = sums_of(path, content_);
            std::string wanted;
            if (!append_file(path + "/" + std::string(sums_name), wanted) || wanted != sums)
                give_up("wrong sums in " + path);
        } else {
            content_.clear();
            for (int i = 0; i < file_count; ++i)
                if (!append_file(path + "/" + std::to_string(i), content_))
                    give_up("can't read " + path);
        }
        return content_;
    }

    larder::Result<> drop(int entry) { return bucket_.remove(name_of(entry)); }

    larder::Result<> collect() {
        LARDER_TRY(cache_.collect());
        return {};
    }

    /// Maintains a cache that is in use, as an operator would: collects and verifies.
    larder::Result<> sweep() {
        LARDER_TRY(collect());
        LARDER_TRY_ASSIGN(const auto report, cache_.verify());
        if (!report.sound())
            return tl::make_unexpected(
                larder::Error{larder::Errc::damaged, 0, "verify", {}, "the cache is not sound"});
        return {};
    }

private:
    static std::string name_of(int entry) {
        const std::string digits = std::to_string(entry);
        return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
    }

    Variant variant_;
    fs::path sources_;
    larder::Cache cache_;
    larder::Bucket bucket_;
    std::string content_;
};

int number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        give_up("not a number: " + std::string(text));
    return value;
}

std::string answer(Driver& driver, const std::string& request) {
    std::istringstream words(request);
    std::string word;
    int entry = 0;
    words >> word >> entry;
    if (word == "check") {
        const auto content = driver.get(entry);
        if (content) return hex_digest(EVP_sha256(), *content);
        return content.error().code == larder::Errc::miss ? "missing"
                                                          : "failed " + content.error().message();
    }
    const auto done = word == "put"       ? driver.put(entry)
                      : word == "drop"    ? driver.drop(entry)
                      : word == "collect" ? driver.collect()
                                          : driver.sweep();
    return done ? "ok" : "failed " + done.error().message();
}

std::size_t work(Driver& driver, std::string_view phase, int first, int last) {
    std::size_t bytes = 0;
    if (phase == "collect") must(driver.collect());
    for (int entry = first; entry < last; ++entry) {
        if (phase == "put") must(driver.put(entry));
        if (phase == "get") bytes += must(driver.get(entry)).size();
        if (phase == "drop" && entry % 2 == 0) must(driver.drop(entry));
    }
    return bytes;
}

Variant variant_named(std::string_view name) {
    if (name == "plain") return Variant::plain;
    if (name == "power") return Variant::power;
    if (name == "sha512") return Variant::sha512;
    give_up("there is no variant " + std::string(name) + "; the variants are plain, power, sha512");
}

constexpr const char* note_of(Variant variant) {
    switch (variant) {
        case Variant::plain:
            return "the library, in process; get leases the entry and reads it in place";
        case Variant::power:
            return "each put is on the disk, and survives a power cut, before it returns";
        case Variant::sha512:
            return "SHA-512 of each file on put, kept in the entry, and again on get";
    }
    return "";
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) give_up("usage: peers_larder plain|power|sha512 PHASE STORE SOURCES FIRST LAST");
    const Variant variant = variant_named(arguments[1]);
    const std::string_view phase = arguments[2];
    if (phase == "about") {
        std::printf("{\"version\": \"%s\", \"note\": \"%s\"}\n", LARDER_VERSION, note_of(variant));
        return 0;
    }
    if (count != 7) give_up("a phase needs STORE SOURCES FIRST LAST");
    Driver driver(variant, arguments[3], arguments[4]);
    const int first = number(arguments[5]), last = number(arguments[6]);
    std::cout << "ready" << std::endl;
    std::string line;
    if (phase == "serve") {
        while (std::getline(std::cin, line)) std::cout << answer(driver, line) << std::endl;
        return 0;
    }
    if (!std::getline(std::cin, line)) give_up("no word to go");
    std::cout << "done " << work(driver, phase, first, last) << std::endl;
    return 0;
}
