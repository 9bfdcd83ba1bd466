#include "cluster/passphrase_file.h"

#include <openssl/rand.h>
#include <unistd.h>

#include "cluster/openssl_handles.h"
#include "os/files.h"
#include "os/system_error.h"

namespace blixard::cluster {
namespace {

constexpr std::string_view kMagic = "blixard encrypted file 1\n";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::uint64_t kScryptCost = 1u << 15;
constexpr std::uint64_t kScryptMemoryMax = 64u << 20;

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

Result<std::string> derive_key(std::string_view passphrase, std::string_view salt) {
    std::string key(kKeyBytes, '\0');
    if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), raw(salt), salt.size(), kScryptCost, 8,
                       1, kScryptMemoryMax, raw(key), key.size()) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot derive a key");
    return key;
}

std::string nonce_of(std::uint64_t number, char flag) {
    std::string nonce(kNonceBytes, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        nonce[i] = static_cast<char>(number >> (8 * (7 - i)) & 0xff);
    nonce[8] = flag;
    return nonce;
}

Error damaged(std::uint64_t number) {
    if (number == 0)
        return {ErrorCode::kDenied,
                "the file does not open with this passphrase",
                {},
                "it is another file's, or the file was changed"};
    return {ErrorCode::kDenied, "the file was changed or cut off after it was written", {}, {}};
}

// Up to `size` bytes; fewer at the end of the file.
Result<std::string> read_up_to(int fd, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::read(fd, bytes.data() + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os::fail_errno("read a file under a passphrase");
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

}  // namespace

bool is_passphrase_file(int fd) {
    std::string head(kMagic.size(), '\0');
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    return ::pread(fd, head.data(), head.size(), at) == static_cast<ssize_t>(head.size()) &&
           head == kMagic;
}

Result<std::unique_ptr<PassphraseWriter>> PassphraseWriter::begin(int fd,
                                                                  std::string_view passphrase) {
    if (passphrase.size() < kPassphraseBytesMin)
        return fail_field("passphrase",
                          "the passphrase has " + std::to_string(passphrase.size()) + " bytes",
                          "take " + std::to_string(kPassphraseBytesMin) + " or more");
    std::string salt(kSaltBytes, '\0');
    if (RAND_bytes(raw(salt), kSaltBytes) != 1)
        return openssl_failure(ErrorCode::kInternal, "no random bytes");
    ASSIGN_OR_RETURN(std::string key, derive_key(passphrase, salt));
    RETURN_IF_ERROR(os::write_all(fd, std::string(kMagic) + salt, "a file under a passphrase"));
    return std::unique_ptr<PassphraseWriter>(new PassphraseWriter(fd, std::move(key)));
}

Status PassphraseWriter::write(std::string_view bytes) {
    waiting_ += bytes;
    std::size_t at = 0;
    for (; waiting_.size() - at > kPieceBytes; at += kPieceBytes)
        RETURN_IF_ERROR(write_piece(std::string_view(waiting_).substr(at, kPieceBytes), false));
    waiting_.erase(0, at);
    return {};
}

Status PassphraseWriter::finish() { return write_piece(std::exchange(waiting_, {}), true); }

Status PassphraseWriter::write_piece(std::string_view plain, bool last) {
    const char flag = last ? 1 : 0;
    const std::string nonce = nonce_of(number_++, flag);
    std::string piece(1 + plain.size() + kTagBytes, '\0');
    piece[0] = flag;
    CipherHandle cipher(EVP_CIPHER_CTX_new());
    int size = 0, rest = 0;
    const bool sealed =
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(std::string_view(key_)),
                           raw(std::string_view(nonce))) == 1 &&
        EVP_EncryptUpdate(cipher.get(), raw(piece) + 1, &size, raw(plain),
                          static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), raw(piece) + 1 + size, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                            piece.data() + 1 + plain.size()) == 1;
    if (!sealed) return openssl_failure(ErrorCode::kInternal, "cannot encrypt");
    return os::write_all(fd_, piece, "a file under a passphrase");
}

Result<std::unique_ptr<PassphraseReader>> PassphraseReader::begin(int fd,
                                                                  std::string_view passphrase) {
    if (passphrase.empty())
        return fail(ErrorCode::kDenied, "the file is encrypted, and no passphrase was given");
    ASSIGN_OR_RETURN(const std::string head, read_up_to(fd, kMagic.size() + kSaltBytes));
    if (head.size() != kMagic.size() + kSaltBytes || !head.starts_with(kMagic))
        return fail(ErrorCode::kInvalid, "this is no file under a passphrase");
    ASSIGN_OR_RETURN(std::string key, derive_key(passphrase, head.substr(kMagic.size())));
    return std::unique_ptr<PassphraseReader>(new PassphraseReader(fd, std::move(key)));
}

Result<std::string> PassphraseReader::next() {
    if (ended_) return std::string();
    ASSIGN_OR_RETURN(const std::string flag, read_up_to(fd_, 1));
    ASSIGN_OR_RETURN(const std::string piece, read_up_to(fd_, kPieceBytes + kTagBytes));
    const bool last = flag == std::string(1, '\1');
    const bool whole = last ? piece.size() >= kTagBytes : piece.size() == kPieceBytes + kTagBytes;
    if (flag.empty() || !whole) return fail(damaged(number_));
    const std::string_view body = std::string_view(piece).substr(0, piece.size() - kTagBytes);
    std::string tag = piece.substr(body.size());
    const std::string nonce = nonce_of(number_, flag[0]);
    std::string plain(body.size(), '\0');
    CipherHandle cipher(EVP_CIPHER_CTX_new());
    int size = 0, rest = 0;
    const bool opened =
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(std::string_view(key_)),
                           raw(std::string_view(nonce))) == 1 &&
        EVP_DecryptUpdate(cipher.get(), raw(plain), &size, raw(body),
                          static_cast<int>(body.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), raw(plain) + size, &rest) == 1;
    ERR_clear_error();
    if (!opened) return fail(damaged(number_));
    ++number_;
    ended_ = last;
    // An empty piece in the middle cannot be; an empty last one ends.
    return plain;
}

}  // namespace blixard::cluster
