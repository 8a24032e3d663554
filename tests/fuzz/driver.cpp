// SPDX-License-Identifier: MIT
// Runs a fuzzer without libFuzzer: every file of a corpus, then mutations of them. Two runs with
// the same seed do the same.
//
//     fuzz_NAME [--runs N] [--seconds N] [--seed N] [--keep FILE] CORPUS...
//
// An input that ends the process is kept in FILE ("crash-input" by default). Give that file as
// CORPUS to run it again.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"
#include "property.hpp"

namespace {

namespace fs = std::filesystem;
namespace options = larder::options;

constexpr std::size_t longest =
    16 * 1024;  // as long as a record; zip archives of the corpus are smaller

/// What a signal handler can reach: the input that is being run, and the file in which it is kept.
std::string current;
char keep_at[4096] = "crash-input";

extern "C" void keep_current(int signal) {
    const int fd = ::open(keep_at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && ::write(fd, current.data(), current.size()) >= 0) {
        (void)!::write(STDERR_FILENO, "the input is in ", 16);
        (void)!::write(STDERR_FILENO, keep_at, std::strlen(keep_at));
        (void)!::write(STDERR_FILENO, "\n", 1);
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void run(std::string input) {
    current = std::move(input);
    (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()),
                                 current.size());
}

std::vector<std::string> read_corpus(const std::vector<std::string>& places) {
    std::vector<fs::path> files;
    for (const fs::path place : places) {
        if (!fs::is_directory(place)) {
            files.push_back(place);
            continue;
        }
        for (const auto& entry : fs::directory_iterator(place)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> inputs;
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) throw std::runtime_error("can't read " + file.string());
        inputs.emplace_back(std::istreambuf_iterator<char>(stream),
                            std::istreambuf_iterator<char>());
    }
    return inputs;
}

/// Changes one input of the corpus a few times in a row.
class Mutator {
public:
    Mutator(const std::vector<std::string>& corpus, std::uint64_t seed)
        : corpus_(corpus), random_(seed) {}

    std::string next() {
        std::string input = any();
        for (std::size_t changes = 1 + below(5); changes > 0; --changes) change(input);
        if (input.size() > longest) input.resize(longest);
        return input;
    }

private:
    /// Returns a number below `limit`. It is not uniform to the last bit, but the same on every
    /// machine, unlike the standard library's distributions.
    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit);
    }
    const std::string& any() { return corpus_[below(corpus_.size())]; }
    char any_byte() {
        static constexpr char telling[] = "\0\n\r /.%-=[]\"',0129azAZ~\x7f\x80\xc3\xa9\xff";
        return below(2) == 0 ? telling[below(sizeof telling - 1)] : static_cast<char>(below(256));
    }

    void change(std::string& input) {
        const std::size_t at = below(input.size() + 1),
                          length = 1 + below(std::min<std::size_t>(input.size() - at + 1, 64));
        switch (below(7)) {
            case 0:
                if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
                return;
            case 1:
                if (at < input.size()) input[at] = any_byte();
                return;
            case 2:
                input.insert(at, 1 + below(4), any_byte());
                return;
            case 3:
                input.erase(at, length);
                return;
            case 4:
                input.insert(at, input.substr(below(input.size() + 1), length));
                return;
            case 5: {
                const std::string& other = any();
                const std::size_t from = below(other.size() + 1);
                input.replace(at, length, other.substr(from, 1 + below(64)));
                return;
            }
            default:
                input.resize(at);
                return;
        }
    }

    const std::vector<std::string>& corpus_;
    std::mt19937_64 random_;
};

struct FuzzOptions {
    std::uint64_t runs = 0, seconds = 0, seed = 1;
    std::vector<std::string> corpus;
};

FuzzOptions parse(const std::vector<std::string>& line) {
    static constexpr options::OptionSpec specs[] = {{"runs", "N", "how many mutations to run"},
                                                    {"seconds", "N", "how long to go on"},
                                                    {"seed", "N", "which mutations"},
                                                    {"keep", "FILE", "where to keep a crash"}};
    const auto given = options::split(line, specs, options::Repeats::refused);
    if (!given) throw std::runtime_error(given.error());
    const auto number = [&](const char* name, std::string_view fallback) {
        const auto parsed = options::whole_number(given->value_or(name, fallback));
        if (!parsed) throw std::runtime_error("--" + std::string(name) + " wants a number");
        return *parsed;
    };
    const auto keep = given->value_or("keep", "");
    if (keep.size() >= sizeof keep_at) throw std::runtime_error("--keep is too long");
    if (!keep.empty()) std::strcpy(keep_at, keep.c_str());
    if (given->words.empty()) throw std::runtime_error("no CORPUS: name a directory or a file");
    return {.runs = number("runs", "0"),
            .seconds = number("seconds", "0"),
            .seed = number("seed", "1"),
            .corpus = given->words};
}

int fuzz(const FuzzOptions& options) {
    const auto corpus = read_corpus(options.corpus);
    if (corpus.empty()) throw std::runtime_error("the corpus is empty");
    for (const auto& input : corpus) run(input);

    Mutator mutator(corpus, options.seed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
    std::uint64_t runs = 0;
    for (; runs < options.runs || std::chrono::steady_clock::now() < end; ++runs)
        run(mutator.next());
    std::cout << corpus.size() << " inputs and " << runs << " mutations of them, seed "
              << options.seed << "\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, keep_current);
    try {
        return fuzz(parse({argv + 1, argv + argc}));
    } catch (const std::exception& exception) {
        std::cerr << exception.what() << "\n";
        return 2;
    }
}
