// SPDX-License-Identifier: MIT
// Uses larder from an install tree, as any other project does.
#include <fstream>
#include <iostream>

#include <larder/larder.hpp>

int main(int, char** arguments) {
    const auto cache = larder::Cache::open(arguments[1]);
    if (!cache) {
        std::cerr << cache.error().message() << "\n";
        return 1;
    }
    const auto bucket = cache->bucket("consumer-v1");
    const auto lease =
        bucket->get_or_build("greeting", [](larder::Staging& stage) -> larder::Result<> {
            std::ofstream(stage.path() / "hello") << "hello";
            return {};
        });
    std::string word;
    std::ifstream(lease->path() / "hello") >> word;
    return word == "hello" ? 0 : 1;
}
