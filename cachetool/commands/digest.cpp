// SPDX-License-Identifier: MIT
#include "cachetool/commands/digest.hpp"

#include <larder/content.hpp>

namespace cachetool {

Expected<const larder::DigestAlgorithm*> digest_of(const ParsedArguments& arguments,
                                                   const larder::DigestAlgorithm* usual) {
    const auto* const text = arguments.value_of("digest");
    if (text == nullptr) return usual;
    if (*text == "none") return nullptr;
    if (*text == "sha256") return &larder::sha256();
    return fail_usage("--digest wants none or sha256");
}

}  // namespace cachetool
