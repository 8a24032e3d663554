// SPDX-License-Identifier: MIT
// Publishes an entry with digests, and has its contents checked.
#include <fstream>

#include <larder/content.hpp>
#include <larder/larder.hpp>

int main(int, char** arguments) {
    const auto cache = larder::Cache::open(arguments[1]);
    if (!cache) return 1;
    const auto bucket = cache->bucket("b");
    if (!bucket) return 2;
    auto staging = bucket->stage();
    if (!staging) return 3;
    std::ofstream(staging->path() / "file") << "text";
    if (!bucket->publish("k", std::move(*staging), {.digest = &larder::sha256()})) return 4;
    const auto report = cache->verify_content({.digests = {&larder::sha256()}});
    return report && report->sound() && report->files == 1 ? 0 : 5;
}
