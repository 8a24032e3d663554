// SPDX-License-Identifier: MIT
// Digests by OpenSSL's libcrypto.
#include <cstdlib>
#include <openssl/evp.h>

#include "digest.hpp"

namespace installer {

namespace {

const EVP_MD* method_of(std::string_view algorithm) {
    if (algorithm == "sha256") return EVP_sha256();
    if (algorithm == "sha384") return EVP_sha384();
    if (algorithm == "sha512") return EVP_sha512();
    return nullptr;
}

struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct Digest::Computation {
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

bool Digest::knows(std::string_view algorithm) { return method_of(algorithm) != nullptr; }

Digest::Digest(std::string_view algorithm) : computation_(std::make_unique<Computation>()) {
    // This fails if there is no memory, or if the library forbids the algorithm. Then nothing can
    // be verified.
    auto* const context = computation_->context.get();
    if (context == nullptr || EVP_DigestInit_ex(context, method_of(algorithm), nullptr) != 1)
        std::abort();
}

Digest::~Digest() = default;

void Digest::add(std::string_view piece) {
    if (EVP_DigestUpdate(computation_->context.get(), piece.data(), piece.size()) != 1)
        std::abort();
}

std::string Digest::finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(computation_->context.get(), bytes, &size) != 1) std::abort();
    return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace installer
