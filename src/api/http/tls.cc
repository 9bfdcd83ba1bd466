#include "api/http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

namespace blixard::api::http {
namespace {

Status refused(const std::string& what, const std::string& file) {
    char reason[256] = "no reason given";
    if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return fail(ErrorCode::kInvalid,
                fmt::format("the {} {} cannot be used: {}", what, file, reason),
                "give a PEM file that the daemon may read");
}

// RFC 7301. We speak one protocol; a client that offers others only is told so.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char kOurs[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Status set_up_tls(SSL_CTX* context, const TlsFiles& files) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
        return refused("certificate", files.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refused("key", files.key);
    if (files.client_ca.empty()) return {};
    if (SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr) != 1)
        return refused("CA of client certificates", files.client_ca);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.client_ca.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return {};
}

Principal tls_principal(SSL* session) {
    X509* const certificate = SSL_get_peer_certificate(session);
    if (!certificate) return {"anonymous", false};
    char name[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    X509_free(certificate);
    if (SSL_get_verify_result(session) != X509_V_OK || name[0] == '\0') return {"anonymous", false};
    return {fmt::format("cert:{}", name), true};
}

}  // namespace blixard::api::http
