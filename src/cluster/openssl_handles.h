// Owners for OpenSSL's objects. Included by sources only.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::cluster {

template <auto Free>
struct OpensslFree {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using BioHandle = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using CertificateHandle = std::unique_ptr<X509, OpensslFree<X509_free>>;
using CrlHandle = std::unique_ptr<X509_CRL, OpensslFree<X509_CRL_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, OpensslFree<X509_REQ_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using CipherHandle = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;
using BignumHandle = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;

inline BioHandle read_bio(std::string_view text) {
    return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// Empties OpenSSL's error queue of this thread into one error.
inline tl::unexpected<Error> openssl_failure(ErrorCode code, std::string_view action) {
    const unsigned long reason = ERR_get_error();
    ERR_clear_error();
    const char* text = reason != 0 ? ERR_reason_error_string(reason) : nullptr;
    return fail(code, std::string(action) + ": " + (text != nullptr ? text : "refused by OpenSSL"));
}

inline CertificateHandle parse_certificate(std::string_view pem) {
    auto bio = read_bio(pem);
    return CertificateHandle(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

inline KeyHandle parse_key(std::string_view pem) {
    auto bio = read_bio(pem);
    return KeyHandle(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

}  // namespace blixard::cluster
