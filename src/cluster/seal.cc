#include "cluster/seal.h"

#include <openssl/rand.h>

#include "cluster/base64.h"
#include "cluster/openssl_handles.h"

namespace blixard::cluster {
namespace {

constexpr std::string_view kPrefix = "v1.";
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Result<std::string> random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(raw(bytes), static_cast<int>(count)) != 1)
        return openssl_failure(ErrorCode::kInternal, "no random bytes");
    return bytes;
}

Status check_key(std::string_view voter_key) {
    if (voter_key.size() == kVoterKeyBytes) return {};
    return fail(ErrorCode::kInvalid, "the voter key has " + std::to_string(voter_key.size()) +
                                         " bytes, and must have " + std::to_string(kVoterKeyBytes));
}

}  // namespace

Result<std::string> make_voter_key() { return random_bytes(kVoterKeyBytes); }

Result<std::string> seal(std::string_view plain, std::string_view voter_key,
                         std::string_view context) {
    RETURN_IF_ERROR(check_key(voter_key));
    ASSIGN_OR_RETURN(const std::string nonce, random_bytes(kNonceBytes));
    CipherHandle cipher(EVP_CIPHER_CTX_new());
    std::string out(plain.size(), '\0');
    std::string tag(kTagBytes, '\0');
    int size = 0;
    const bool sealed =
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(voter_key), raw(nonce)) ==
            1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &size, raw(context),
                          static_cast<int>(context.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), raw(out), &size, raw(plain),
                          static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), raw(out) + size, &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
    if (!sealed) return openssl_failure(ErrorCode::kInternal, "cannot encrypt");
    return std::string(kPrefix) + encode_base64(nonce + out + tag);
}

Result<std::string> open_sealed(std::string_view sealed, std::string_view voter_key,
                                std::string_view context) {
    RETURN_IF_ERROR(check_key(voter_key));
    if (!sealed.starts_with(kPrefix))
        return fail(ErrorCode::kInvalid, "the text is no sealed secret");
    ASSIGN_OR_RETURN(const std::string bytes, decode_base64(sealed.substr(kPrefix.size())));
    if (bytes.size() < kNonceBytes + kTagBytes)
        return fail(ErrorCode::kInvalid, "the sealed secret is cut off");
    const std::string_view view = bytes;
    const auto nonce = view.substr(0, kNonceBytes);
    const auto body = view.substr(kNonceBytes, view.size() - kNonceBytes - kTagBytes);
    std::string tag(view.substr(view.size() - kTagBytes));
    std::string plain(body.size(), '\0');
    CipherHandle cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool opened =
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(voter_key), raw(nonce)) ==
            1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &size, raw(context),
                          static_cast<int>(context.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), raw(plain), &size, raw(body),
                          static_cast<int>(body.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), raw(plain) + size, &size) == 1;
    if (opened) return plain;
    ERR_clear_error();
    return fail(ErrorCode::kDenied, "the sealed secret does not open with this host's voter key",
                "the key file is another cluster's, or the record was changed");
}

}  // namespace blixard::cluster
