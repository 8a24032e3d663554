// SPDX-License-Identifier: MIT
// SHA-256 by CNG, which is part of Windows. Tested in Wine, never run on Windows.
#include <cstdint>
// clang-format off
#include <windows.h>
#include <bcrypt.h>  // needs the one before
// clang-format on

#include <larder/content.hpp>

namespace larder {

namespace {

// A handle of the system's own, which needs not be opened or closed. Windows 10 has it; the headers
// of mingw-w64 do not name it.
const auto sha256_algorithm = reinterpret_cast<BCRYPT_ALG_HANDLE>(std::uintptr_t{0x41});
constexpr std::size_t digest_size = 32;

class BcryptStream final : public DigestStream {
public:
    BcryptStream()
        : good_(::BCryptCreateHash(sha256_algorithm, &hash_, nullptr, 0, nullptr, 0, 0) >= 0) {}
    ~BcryptStream() override {
        if (hash_ != nullptr) ::BCryptDestroyHash(hash_);
    }

    void add(std::string_view bytes) noexcept override {
        // CNG counts the bytes of a piece in 32 bits.
        constexpr std::size_t most = std::size_t{1} << 30;
        while (!bytes.empty() && good_) {
            const auto part = bytes.substr(0, most);
            // It changes nothing, although its argument says so.
            auto* const data = reinterpret_cast<UCHAR*>(const_cast<char*>(part.data()));
            good_ = ::BCryptHashData(hash_, data, static_cast<ULONG>(part.size()), 0) >= 0;
            bytes.remove_prefix(part.size());
        }
    }

    std::string finish() override {
        UCHAR bytes[digest_size];
        good_ = good_ && ::BCryptFinishHash(hash_, bytes, sizeof bytes, 0) >= 0;
        if (!good_) return {};
        return {reinterpret_cast<const char*>(bytes), sizeof bytes};
    }

private:
    BCRYPT_HASH_HANDLE hash_ = nullptr;
    bool good_;
};

class BcryptSha256 final : public DigestAlgorithm {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "sha256"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        return std::make_unique<BcryptStream>();
    }
};

}  // namespace

const DigestAlgorithm& sha256() noexcept {
    static const BcryptSha256 algorithm;
    return algorithm;
}

}  // namespace larder
