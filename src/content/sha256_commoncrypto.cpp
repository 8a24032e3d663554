// SPDX-License-Identifier: MIT
// SHA-256 by CommonCrypto, which is part of macOS's libSystem. Built for macOS, never run there.
#include <CommonCrypto/CommonDigest.h>

#include <larder/content.hpp>

namespace larder {

namespace {

class CommonCryptoStream final : public DigestStream {
public:
    CommonCryptoStream() : good_(CC_SHA256_Init(&context_) == 1) {}

    void add(std::string_view bytes) noexcept override {
        // CommonCrypto counts the bytes of a piece in 32 bits.
        constexpr std::size_t most = std::size_t{1} << 30;
        while (!bytes.empty() && good_) {
            const auto part = bytes.substr(0, most);
            good_ =
                CC_SHA256_Update(&context_, part.data(), static_cast<CC_LONG>(part.size())) == 1;
            bytes.remove_prefix(part.size());
        }
    }

    std::string finish() override {
        unsigned char bytes[CC_SHA256_DIGEST_LENGTH];
        good_ = good_ && CC_SHA256_Final(bytes, &context_) == 1;
        if (!good_) return {};
        return {reinterpret_cast<const char*>(bytes), sizeof bytes};
    }

private:
    CC_SHA256_CTX context_{};
    bool good_;
};

class CommonCryptoSha256 final : public DigestAlgorithm {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "sha256"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        return std::make_unique<CommonCryptoStream>();
    }
};

}  // namespace

const DigestAlgorithm& sha256() noexcept {
    static const CommonCryptoSha256 algorithm;
    return algorithm;
}

}  // namespace larder
