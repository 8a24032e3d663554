// What get, publish and refresh cost, as ratios to the raw system calls that any implementation must make, measured in turn in one run.
//
//   bench_protocol [DIRECTORY] [Google Benchmark's options]      DIRECTORY (default: the system's for temporary files) picks the file system
//
// A shared machine is noisy: the figures to read are the ratios at the end, each the median over rounds that take both sides in turn.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <larder/larder.hpp>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

template <class T>
T value(larder::Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "bench_protocol: %s\n", result.error().message().c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// One cache with one entry, and bare handles to the same directories.
struct Setting {
    explicit Setting(const fs::path& directory)
        : root(directory / "cache"), cache(value(larder::Cache::open(root))), bucket(value(cache.bucket("bench-v1"))) {
        auto stage = value(bucket.stage());
        value(bucket.publish("numpy-2.1.0-cp312", std::move(stage)));
        buckets = ::open((root / "buckets").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }

    fs::path root;
    larder::Cache cache;
    larder::Bucket bucket;
    int buckets = -1;
    const std::string key = "numpy-2.1.0-cp312";
    const std::string path = "bench-v1/" + key;
};

Setting* setting = nullptr;

void get(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(setting->bucket.get(setting->key));
}

void miss(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(setting->bucket.get("numpy-0.0.0"));
}

void two_readlinks(benchmark::State& state) {
    char target[64];
    for (auto _ : state) {
        benchmark::DoNotOptimize(::readlinkat(setting->buckets, setting->path.c_str(), target, sizeof target));
        benchmark::DoNotOptimize(::readlinkat(setting->buckets, setting->path.c_str(), target, sizeof target));
    }
}

void canonical(benchmark::State& state) {
    const fs::path key = setting->root / "buckets" / setting->path;
    for (auto _ : state) benchmark::DoNotOptimize(fs::canonical(key));
}

void publish_empty_tree(benchmark::State& state) {
    for (auto _ : state) {
        auto stage = value(setting->bucket.stage());
        benchmark::DoNotOptimize(setting->bucket.publish("replaced", std::move(stage)));
    }
    value(setting->cache.collect());
}

double microseconds(const std::function<void()>& step) {
    const auto start = std::chrono::steady_clock::now();
    step();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// A over B, taken in turn, a thousand calls each: the median of the rounds' ratios.
double ratio(const std::function<void()>& a, const std::function<void()>& b) {
    std::vector<double> ratios;
    for (int round = 0; round < 41; ++round) {
        const auto thousand = [](const std::function<void()>& call) {
            return microseconds([&] {
                for (int i = 0; i < 1000; ++i) call();
            });
        };
        const double first = thousand(a);
        ratios.push_back(first / thousand(b));
    }
    return median(ratios);
}

void print_ratio(const char* what, double is, double goal) {
    std::printf("%-72s %6.2f   (goal: at most %.2f)\n", what, is, goal);
}

void print_get_ratios() {
    const auto get_once = [] { benchmark::DoNotOptimize(setting->bucket.get(setting->key)); };
    const auto two = [] {
        char target[64];
        benchmark::DoNotOptimize(::readlinkat(setting->buckets, setting->path.c_str(), target, sizeof target));
        benchmark::DoNotOptimize(::readlinkat(setting->buckets, setting->path.c_str(), target, sizeof target));
    };
    const fs::path key = setting->root / "buckets" / setting->path;
    const auto resolve = [&key] { benchmark::DoNotOptimize(fs::canonical(key)); };
    print_ratio("get / two readlinkat", ratio(get_once, two), 2.5);
    print_ratio("get / std::filesystem::canonical", ratio(get_once, resolve), 0.5);
}

/// Refresh is one rename, whatever the number of keys: links are made by hand, since only their number matters here.
void print_refresh_ratio() {
    const auto refresh_of = [](const std::string& name, int keys) {
        const fs::path directory = setting->root / "buckets" / name;
        fs::create_directory(directory);
        const fs::path some_link = fs::read_symlink(setting->root / "buckets" / setting->path);
        for (int i = 0; i < keys; ++i) fs::create_symlink(some_link, directory / std::to_string(i));
        const auto bucket = value(setting->cache.bucket(name));
        return microseconds([&] { value(bucket.refresh()); });
    };
    std::vector<double> small, large;
    for (int round = 0; round < 5; ++round) {
        small.push_back(refresh_of("small", 100));
        large.push_back(refresh_of("large", 100'000));
        for (const auto& refreshed : fs::directory_iterator(setting->root / "retired" / "buckets")) fs::remove_all(refreshed);
    }
    std::printf("refresh of 100 keys: %.1f us, of 100,000 keys: %.1f us\n", median(small), median(large));
    print_ratio("refresh of 100,000 keys / of 100 keys", median(large) / median(small), 2.0);
}

}  // namespace

BENCHMARK(two_readlinks);
BENCHMARK(get);
BENCHMARK(miss);
BENCHMARK(canonical);
BENCHMARK(publish_empty_tree)->Iterations(500);

int main(int count, char** arguments) {
    benchmark::Initialize(&count, arguments);
    std::string directory = (fs::path(count > 1 ? arguments[1] : fs::temp_directory_path().c_str()) / "larder-bench-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) {
        std::perror(directory.c_str());
        return 1;
    }
    {
        Setting made(directory);
        setting = &made;
        benchmark::RunSpecifiedBenchmarks();
        print_get_ratios();
        print_refresh_ratio();
    }
    fs::remove_all(directory);
    return 0;
}
