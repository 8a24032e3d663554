// Deletes and carries 10,000 files of 1 KiB in 100 directories, beside what a shell would use, and prints medians and ratios:
//
//     bench_tree DIRECTORY [ROUNDS]
//
// The contenders of one line take turns within each round, so that whatever else the machine does meets them all alike. The
// numbers of threads are asked for by name: what the library takes by itself is `auto`.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <tree/copy.hpp>
#include <tree/measure.hpp>
#include <tree/remove.hpp>
#include <vector>

namespace {

namespace fs = std::filesystem;
using larder::LinkMode;

constexpr int entries = 10, directories = 10, files = 100;                // 10,000 in all
constexpr larder::tree::Size everything{.bytes = 0, .files = 1'000'000};  // worth one syncfs

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_tree: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(larder::Result<T> result) {
    if (!result) give_up(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) give_up(words[0] + " failed");
}

void fill(const fs::path& top) {
    const std::string bytes(1024, 'x');
    for (int i = 0; i < entries * directories; ++i) {
        const fs::path dir = top / std::to_string(i / directories) / std::to_string(i % directories);
        fs::create_directories(dir);
        for (int j = 0; j < files; ++j) std::ofstream(dir / std::to_string(j)) << bytes;
    }
}

struct Contender {
    std::string name;
    std::function<void()> timed;
};

/// `prepare` and `tidy` surround each timing, untimed. The ratio is to the first contender.
void compare(const char* what, const larder::os::Dir& work, int rounds, const std::function<void()>& prepare,
             const std::vector<Contender>& contenders, const std::function<void()>& tidy) {
    std::vector<std::vector<double>> times(contenders.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            prepare();
            must(larder::tree::sync(work, everything));  // so that nobody pays for writing out what another has left behind
            const auto begin = std::chrono::steady_clock::now();
            contenders[i].timed();
            times[i].push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
            tidy();
        }
    }
    for (std::size_t i = 0; i < contenders.size(); ++i) {
        std::sort(times[i].begin(), times[i].end());
        const double median = times[i][times[i].size() / 2], first = times[0][times[0].size() / 2];
        std::printf("%-10s %-18s %8.1f ms  %5.2f\n", what, contenders[i].name.c_str(), median, median / first);
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) give_up("usage: bench_tree DIRECTORY [ROUNDS]");
    const int rounds = count > 2 ? std::atoi(arguments[2]) : 5;
    const fs::path work = fs::path(arguments[1]) / ("bench_tree." + std::to_string(::getpid()));
    const fs::path source = work / "source", target = work / "target";
    fs::create_directories(work);
    fill(source);
    const auto from = must(larder::os::open_dir(source));
    const auto around = must(larder::os::open_dir(work));
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::printf("%d files of 1 KiB in %s, medians of %d, ratio to the first\n", entries * directories * files, arguments[1],
                rounds);

    const auto make_target = [&] { fs::create_directory(target); };
    const auto drop_target = [&] { fs::remove_all(target); };
    const auto fill_target = [&] { fill(target); };
    const std::vector<std::pair<std::string, unsigned>> teams = {{"1", 1}, {"2", 2}, {"4", 4}, {"auto", 0}};

    std::vector<Contender> removers = {{"rm -rf",
                                        [&] {
                                            run({"rm", "-rf", target});
                                        }},
                                       {"remove_all", [&] { fs::remove_all(target); }}};
    for (const auto& [name, threads] : teams) {
        removers.push_back({"empty_dir " + name, [&target, threads = threads] {
                                (void)must(larder::tree::empty_dir(must(larder::os::open_dir(target)), threads));
                            }});
    }
    compare("delete", around, rounds, fill_target, removers, drop_target);

    struct Mode {
        const char* name;
        LinkMode mode;
        std::vector<std::string> command;
    };
    for (const auto& [mode_name, mode, command] :
         {Mode{"hardlink", LinkMode::hardlink, {"cp", "-al"}}, Mode{"copy", LinkMode::copy, {"cp", "-a", "--reflink=never"}},
          Mode{"clone", LinkMode::clone, {"cp", "-a", "--reflink=always"}}}) {
        make_target();
        const bool works = larder::tree::carry(from, must(larder::os::open_dir(target)), {.mode = mode}).has_value();
        drop_target();
        if (!works) continue;
        auto words = command;
        words.insert(words.end(), {source / ".", target});
        std::vector<Contender> carriers = {{command[0] + " " + command[1], [&] { run(words); }}};
        for (const auto& [name, threads] : teams) {
            carriers.push_back({"carry " + name, [&, mode = mode, threads = threads] {
                                    const larder::MaterializeOptions options{.mode = mode, .threads = threads};
                                    (void)must(larder::tree::carry(from, must(larder::os::open_dir(target)), options));
                                }});
        }
        compare(mode_name, around, rounds, make_target, carriers, drop_target);
    }

    (void)must(larder::tree::empty_dir(must(larder::os::open_dir(work)), 0));
    fs::remove(work);
}
