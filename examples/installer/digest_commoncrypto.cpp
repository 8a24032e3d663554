// SPDX-License-Identifier: MIT
// Digests by CommonCrypto, which is part of macOS's libSystem. Built for macOS, never run there.
#include <CommonCrypto/CommonDigest.h>
#include <algorithm>
#include <array>
#include <cstdlib>

#include "digest.hpp"

namespace installer {

namespace {

/// The state of a computation. SHA-384 uses that of SHA-512.
union Context {
    CC_SHA256_CTX sha256;
    CC_SHA512_CTX sha512;
};

/// CommonCrypto has three functions for each algorithm. They return 1 (CommonDigest.h).
struct Method {
    std::string_view name;
    std::size_t size;  ///< of the digest, in bytes
    int (*begin)(Context&);
    int (*add)(Context&, const void*, CC_LONG);
    int (*finish)(unsigned char*, Context&);
};

constexpr std::array methods{
    Method{"sha256", CC_SHA256_DIGEST_LENGTH, [](Context& c) { return CC_SHA256_Init(&c.sha256); },
           [](Context& c, const void* data, CC_LONG size) {
               return CC_SHA256_Update(&c.sha256, data, size);
           },
           [](unsigned char* out, Context& c) { return CC_SHA256_Final(out, &c.sha256); }},
    Method{"sha384", CC_SHA384_DIGEST_LENGTH, [](Context& c) { return CC_SHA384_Init(&c.sha512); },
           [](Context& c, const void* data, CC_LONG size) {
               return CC_SHA384_Update(&c.sha512, data, size);
           },
           [](unsigned char* out, Context& c) { return CC_SHA384_Final(out, &c.sha512); }},
    Method{"sha512", CC_SHA512_DIGEST_LENGTH, [](Context& c) { return CC_SHA512_Init(&c.sha512); },
           [](Context& c, const void* data, CC_LONG size) {
               return CC_SHA512_Update(&c.sha512, data, size);
           },
           [](unsigned char* out, Context& c) { return CC_SHA512_Final(out, &c.sha512); }},
};

const Method* method_of(std::string_view algorithm) {
    const auto* const method = std::ranges::find(methods, algorithm, &Method::name);
    return method != methods.end() ? method : nullptr;
}

}  // namespace

struct Digest::Computation {
    const Method* method;
    Context context{};
};

bool Digest::knows(std::string_view algorithm) { return method_of(algorithm) != nullptr; }

Digest::Digest(std::string_view algorithm)
    : computation_(std::make_unique<Computation>(method_of(algorithm))) {
    if (computation_->method == nullptr || computation_->method->begin(computation_->context) != 1)
        std::abort();
}

Digest::~Digest() = default;

void Digest::add(std::string_view piece) {
    // CommonCrypto counts a piece's bytes in 32 bits.
    constexpr std::size_t most = 1U << 30U;
    while (!piece.empty()) {
        const auto part = piece.substr(0, most);
        if (computation_->method->add(computation_->context, part.data(),
                                      static_cast<CC_LONG>(part.size())) != 1)
            std::abort();
        piece.remove_prefix(part.size());
    }
}

std::string Digest::finish() {
    std::array<unsigned char, CC_SHA512_DIGEST_LENGTH> bytes{};
    if (computation_->method->finish(bytes.data(), computation_->context) != 1) std::abort();
    return {reinterpret_cast<const char*>(bytes.data()), computation_->method->size};
}

}  // namespace installer
