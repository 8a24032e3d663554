// SPDX-License-Identifier: MIT
// SHA-256 by OpenSSL's libcrypto.
#include <new>
#include <openssl/evp.h>

#include <larder/content.hpp>

namespace larder {

namespace {

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

class OpensslStream final : public DigestStream {
public:
    OpensslStream() : context_(EVP_MD_CTX_new()) {
        if (!context_) throw std::bad_alloc();
        // This fails too if the library forbids the algorithm. Then finish returns an empty text.
        good_ = EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
    }

    void add(std::string_view bytes) noexcept override {
        good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
    }

    std::string finish() override {
        unsigned char bytes[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        good_ = good_ && EVP_DigestFinal_ex(context_.get(), bytes, &size) == 1;
        if (!good_) return {};
        return {reinterpret_cast<const char*>(bytes), size};
    }

private:
    std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
    bool good_ = false;
};

class OpensslSha256 final : public DigestAlgorithm {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "sha256"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        return std::make_unique<OpensslStream>();
    }
};

}  // namespace

const DigestAlgorithm& sha256() noexcept {
    static const OpensslSha256 algorithm;
    return algorithm;
}

}  // namespace larder
