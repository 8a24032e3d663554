// SPDX-License-Identifier: MIT Measures what the cache costs an installer: trees that are leased
// and then materialized, beside the same trees in plain directories.
//
//   bench_indirection CACHE BUCKET WORK RUNS
//
// WORK is a new directory on the file system of the cache. Both sides make one target of all
// entries of the bucket, by hard links. In each run, the side of the cache opens the cache and
// takes every lease, as an installer does. Prints the seconds of each run as one JSON document.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <larder/larder.hpp>

namespace {

namespace fs = std::filesystem;

template <class T>
T value(larder::Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "bench_indirection: %s\n", result.error().message().c_str());
        std::exit(1);
    }
    return std::move(*result);
}

void materialize(const fs::path& tree, const fs::path& target) {
    value(larder::materialize(tree, target, {.mode = larder::LinkMode::hardlink, .threads = 1}));
}

void through_the_cache(const fs::path& root, const std::string& name,
                       const std::vector<std::string>& keys, const fs::path& target) {
    const auto cache = value(larder::Cache::open(root));
    const auto bucket = value(cache.bucket(name));
    std::vector<larder::Lease> leases;
    for (const auto& key : keys) leases.push_back(value(bucket.get(key)));
    for (const auto& lease : leases) materialize(lease.path() / "files", target);
}

void from_plain_directories(const fs::path& plain, std::size_t count, const fs::path& target) {
    for (std::size_t i = 0; i < count; ++i) materialize(plain / std::to_string(i), target);
}

template <class Step>
double seconds(const Step& step) {
    const auto start = std::chrono::steady_clock::now();
    step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print(const char* name, const std::vector<double>& values, const char* end) {
    std::printf("\"%s\": [", name);
    for (std::size_t i = 0; i < values.size(); ++i)
        std::printf("%s%.6f", i > 0 ? ", " : "", values[i]);
    std::printf("]%s", end);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) {
        std::fputs("usage: bench_indirection CACHE BUCKET WORK RUNS\n", stderr);
        return 2;
    }
    const fs::path root = arguments[1], work = arguments[3];
    const std::string name = arguments[2];
    const int runs = std::atoi(arguments[4]);

    std::vector<std::string> keys;
    {
        // The plain trees are copies. The code that made the entries makes them, in the same order.
        const auto cache = value(larder::Cache::open(root));
        const auto bucket = value(cache.bucket(name));
        keys = value(bucket.keys());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            fs::create_directories(work / "plain");
            value(larder::materialize(value(bucket.get(keys[i])).path() / "files",
                                      work / "plain" / std::to_string(i),
                                      {.mode = larder::LinkMode::copy}));
        }
    }

    std::vector<double> cached, plain;
    for (int run = -1; run < runs; ++run) {
        // The order alternates, because the first run of a pair may wait for what the run before it
        // has left to be written.
        for (const bool through : {run % 2 == 0, run % 2 != 0}) {
            const fs::path target =
                work / ((through ? "cached-" : "plain-") + std::to_string(run + 1));
            const double took = seconds([&] {
                if (through) {
                    through_the_cache(root, name, keys, target);
                } else {
                    from_plain_directories(work / "plain", keys.size(), target);
                }
            });
            if (run >= 0)
                (through ? cached : plain).push_back(took);  // the first pair fills the caches
        }
    }
    std::printf("{");
    print("cached", cached, ", ");
    print("plain", plain, "}\n");
    return 0;
}
