// SPDX-License-Identifier: MIT
// Puts something into a cache and gets it back.
#include <fstream>
#include <iostream>

#include <larder/larder.hpp>

int main(int, char** arguments) {
    const auto cache = larder::Cache::open(arguments[1]);
    if (!cache) {
        std::cerr << cache.error().message() << "\n";
        return 1;
    }
    const auto bucket = cache->bucket("test-v1");
    const auto lease =
        bucket->get_or_build("greeting", [](larder::Staging& stage) -> larder::Result<> {
            std::ofstream(stage.path() / "hello") << "hello";
            return {};
        });
    return lease && std::filesystem::file_size(lease->path() / "hello") == 5 ? 0 : 1;
}
