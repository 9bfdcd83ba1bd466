// A file under a passphrase, written and read as a stream.
//
//   "blixard encrypted file 1\n", 16 bytes of salt, then pieces: a byte (0: more follow, 1: the
//   last), 64 KiB of AES-256-GCM (the last: as many as are left), 16 bytes of tag.
//
// The key is scrypt's (RFC 7914; N = 2^15, r = 8, p = 1: 32 MiB and a tenth of a second a guess) of
// passphrase and salt, so a key is never used for two files. The nonce is the piece's number and
// its first byte: pieces cannot be changed, swapped, left out or cut off at the end without notice
// (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015). Blocking; one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::cluster {

inline constexpr std::size_t kPassphraseBytesMin = 12;

class PassphraseWriter {
 public:
    // Writes to `fd`, which the caller keeps. kInvalid: the passphrase is too short.
    static Result<std::unique_ptr<PassphraseWriter>> begin(int fd, std::string_view passphrase);
    Status write(std::string_view bytes);
    Status finish();  // without it the file cannot be read

 private:
    PassphraseWriter(int fd, std::string key) : fd_(fd), key_(std::move(key)) {}
    Status write_piece(std::string_view plain, bool last);

    const int fd_;
    const std::string key_;
    std::string waiting_;
    std::uint64_t number_ = 0;
};

class PassphraseReader {
 public:
    // kDenied: no passphrase was given, or a wrong one (then at the first next()).
    static Result<std::unique_ptr<PassphraseReader>> begin(int fd, std::string_view passphrase);
    // The next bytes; empty: that was all. kDenied: another passphrase, or the file was changed.
    Result<std::string> next();

 private:
    PassphraseReader(int fd, std::string key) : fd_(fd), key_(std::move(key)) {}

    const int fd_;
    const std::string key_;
    std::uint64_t number_ = 0;
    bool ended_ = false;
};

// Does such a file begin at the fd's offset? The offset stays.
bool is_passphrase_file(int fd);

}  // namespace blixard::cluster
