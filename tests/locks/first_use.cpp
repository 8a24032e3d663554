// SPDX-License-Identifier: MIT
// Nothing in the library is initialized at its first use: a child that is forked while another
// thread is in the middle of that would wait forever. The compiler initializes a function's static
// that way, by __cxa_guard_acquire; the linker puts the function below in its place (see
// CMakeLists.txt). This program does all that a cache can do, and ends with 1 if that function was
// called after main had begun.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <larder/larder.hpp>

namespace {

bool counting = false;
int calls = 0;

namespace fs = std::filesystem;

template <class T>
bool good(const larder::Result<T>& result) {
    if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    return result.has_value();
}

bool put(const larder::Bucket& bucket, const std::string& key, larder::Durability durability) {
    auto staging = bucket.stage();
    if (!good(staging)) return false;
    std::ofstream(staging->path() / "f") << "content";
    return good(
        bucket.publish(key, std::move(*staging), {.durability = durability, .producer = {}}));
}

bool do_everything(const fs::path& directory) {
    const auto cache = larder::Cache::open(directory / "cache");
    if (!good(cache)) return false;
    const auto bucket = cache->bucket("b");
    if (!good(bucket) || !put(*bucket, "k", larder::Durability::process) ||
        !put(*bucket, "k", larder::Durability::power))
        return false;
    if (!put(*bucket, std::string(1000, 'k'), larder::Durability::process) ||
        !good(bucket->get(std::string(1000, 'k'))))
        return false;
    if (!good(cache->verify())) return false;
    const auto lease = bucket->get("k");
    if (!good(lease) || !good(larder::materialize(lease->path(), directory / "target")))
        return false;
    if (bucket->get("none")) return false;
    const auto build = [](larder::Staging& staging) -> larder::Result<> {
        std::ofstream(staging.path() / "f") << "built";
        return {};
    };
    if (!good(bucket->get_or_build("built", build))) return false;
    if (!good(bucket->remove("built"))) return false;
    const auto trash = cache->trash();
    if (!good(trash) || trash->empty() ||
        !good(cache->restore(trash->front().id, {.replace = true})))
        return false;
    return good(bucket->keys()) && good(bucket->info("k")) && good(cache->buckets()) &&
           good(cache->status()) && good(bucket->remove("k")) && good(bucket->refresh()) &&
           good(cache->verify({.repair = true})) && good(cache->collect());
}

}  // namespace

extern "C" {
int __real___cxa_guard_acquire(std::int64_t* guard);
int __wrap___cxa_guard_acquire(std::int64_t* guard);
int __wrap___cxa_guard_acquire(std::int64_t* guard) {
    if (counting) ++calls;
    return __real___cxa_guard_acquire(guard);
}
}

int main() {
    std::string directory = (fs::temp_directory_path() / "larder-test-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) return 2;
    counting = true;
    const bool done = do_everything(directory);
    counting = false;
    fs::remove_all(directory);
    if (calls != 0) std::fprintf(stderr, "%d statics were made at their first use\n", calls);
    return !done ? 2 : calls == 0 ? 0 : 1;
}
