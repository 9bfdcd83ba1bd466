#include "cluster/ca.h"

#include <arpa/inet.h>

#include <algorithm>

#include "cluster/certificate.h"
#include "cluster/openssl_handles.h"

namespace blixard::cluster {
namespace {

Result<KeyHandle> make_key() {
    KeyHandle key(EVP_EC_gen("P-256"));
    if (!key) return openssl_failure(ErrorCode::kInternal, "cannot make an ECDSA key");
    return key;
}

Result<std::string> key_text(EVP_PKEY* key) {
    BioHandle bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot write a private key");
    return bio_text(bio.get());
}

Result<std::string> certificate_text(X509* certificate) {
    BioHandle bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(bio.get(), certificate) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot write a certificate");
    return bio_text(bio.get());
}

void add_name_entry(X509_NAME* name, const char* field, std::string_view value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
}

void set_subject(X509* certificate, std::string_view cluster_id, std::string_view name) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    add_name_entry(subject, "O", cluster_id);
    add_name_entry(subject, "CN", name);
}

Result<BignumHandle> parse_serial(std::string_view serial) {
    BIGNUM* number = nullptr;
    const std::string text(serial);
    const bool hex_only = !text.empty() && text.size() <= 32 &&
                          text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex_only || BN_hex2bn(&number, text.c_str()) == 0)
        return fail(ErrorCode::kInvalid,
                    "\"" + text + "\" is no serial number (1 to 32 lower-case hex digits)");
    return BignumHandle(number);
}

Status set_serial_and_life(X509* certificate, std::string_view serial, WallTime now, Millis life) {
    ASSIGN_OR_RETURN(const auto number, parse_serial(serial));
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
    ASN1_TIME_set(X509_getm_notBefore(certificate),
                  (now.ms - std::min(kCertificateBackdate, life / 10).count) / 1000);
    ASN1_TIME_set(X509_getm_notAfter(certificate), (now + life).ms / 1000);
    X509_set_version(certificate, X509_VERSION_3);
    return {};
}

Status add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
        return openssl_failure(ErrorCode::kInvalid,
                               "cannot put \"" + value + "\" into a certificate");
    return {};
}

bool is_address(const std::string& text) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool is_dns_name(const std::string& text) {
    return !text.empty() && text.size() <= 253 &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
               std::string::npos;
}

// Loopback is always among them: a host speaks with its own etcd over it, and etcd compares a
// client's source address.
Result<std::string> alternative_names(const IssueTerms& terms) {
    if (!is_dns_name(terms.name) || !is_dns_name(terms.cluster_id))
        return fail(ErrorCode::kInvalid, "\"" + terms.name + "\" is no host name");
    std::string names = "DNS:" + terms.name + ",DNS:" + cluster_dns_name(terms.cluster_id) +
                        ",DNS:localhost,IP:127.0.0.1,IP:::1";
    for (const std::string& address : terms.addresses) {
        if (is_address(address))
            names += ",IP:" + address;
        else if (is_dns_name(address))
            names += ",DNS:" + address;
        else
            return fail(ErrorCode::kInvalid,
                        "\"" + address + "\" is neither an IP address nor a DNS name");
    }
    return names;
}

struct OpenAuthority {
    CertificateHandle certificate;
    KeyHandle key;
};

Result<OpenAuthority> open_authority(const Authority& authority) {
    OpenAuthority open{parse_certificate(authority.certificate_pem), parse_key(authority.key_pem)};
    if (!open.certificate || !open.key ||
        X509_check_private_key(open.certificate.get(), open.key.get()) != 1)
        return openssl_failure(
            ErrorCode::kInternal,
            "the cluster's authority is damaged: certificate and key do not belong together");
    return open;
}

Result<RequestHandle> open_request(std::string_view request_pem) {
    auto bio = read_bio(request_pem);
    RequestHandle request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
    if (!request) return openssl_failure(ErrorCode::kInvalid, "the text is no certificate request");
    if (X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1)
        return openssl_failure(ErrorCode::kInvalid,
                               "the certificate request does not prove that its key is held");
    return request;
}

}  // namespace

Result<Authority> create_authority(std::string_view cluster_id, std::string_view serial,
                                   WallTime now) {
    ASSIGN_OR_RETURN(const auto key, make_key());
    CertificateHandle certificate(X509_new());
    X509* made = certificate.get();
    RETURN_IF_ERROR(set_serial_and_life(made, serial, now, kAuthorityLife));
    set_subject(made, cluster_id, "Blixard cluster authority");
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_set_pubkey(made, key.get());
    RETURN_IF_ERROR(add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
    RETURN_IF_ERROR(add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign"));
    RETURN_IF_ERROR(add_extension(made, made, NID_subject_key_identifier, "hash"));
    if (X509_sign(made, key.get(), EVP_sha256()) == 0)
        return openssl_failure(ErrorCode::kInternal, "cannot sign the authority's certificate");
    ASSIGN_OR_RETURN(auto certificate_pem, certificate_text(made));
    ASSIGN_OR_RETURN(auto key_pem, key_text(key.get()));
    return Authority{std::move(certificate_pem), std::move(key_pem)};
}

Result<KeyAndRequest> make_certificate_request(std::string_view name) {
    ASSIGN_OR_RETURN(const auto key, make_key());
    RequestHandle request(X509_REQ_new());
    X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
    add_name_entry(X509_REQ_get_subject_name(request.get()), "CN", name);
    X509_REQ_set_pubkey(request.get(), key.get());
    if (X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0)
        return openssl_failure(ErrorCode::kInternal, "cannot sign a certificate request");
    BioHandle bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot write a certificate request");
    ASSIGN_OR_RETURN(auto key_pem, key_text(key.get()));
    return KeyAndRequest{std::move(key_pem), bio_text(bio.get())};
}

Result<std::string> issue_certificate(const Authority& authority, std::string_view request_pem,
                                      const IssueTerms& terms) {
    ASSIGN_OR_RETURN(const auto issuer, open_authority(authority));
    ASSIGN_OR_RETURN(const auto request, open_request(request_pem));
    ASSIGN_OR_RETURN(const std::string names, alternative_names(terms));
    CertificateHandle certificate(X509_new());
    X509* made = certificate.get();
    RETURN_IF_ERROR(set_serial_and_life(made, terms.serial, terms.now, terms.life));
    set_subject(made, terms.cluster_id, terms.name);
    X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate.get()));
    X509_set_pubkey(made, X509_REQ_get0_pubkey(request.get()));
    RETURN_IF_ERROR(
        add_extension(made, issuer.certificate.get(), NID_basic_constraints, "critical,CA:FALSE"));
    RETURN_IF_ERROR(
        add_extension(made, issuer.certificate.get(), NID_key_usage, "critical,digitalSignature"));
    RETURN_IF_ERROR(
        add_extension(made, issuer.certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth"));
    RETURN_IF_ERROR(
        add_extension(made, issuer.certificate.get(), NID_authority_key_identifier, "keyid"));
    RETURN_IF_ERROR(add_extension(made, issuer.certificate.get(), NID_subject_alt_name, names));
    if (X509_sign(made, issuer.key.get(), EVP_sha256()) == 0)
        return openssl_failure(ErrorCode::kInternal, "cannot sign a certificate");
    return certificate_text(made);
}

Result<std::string> issue_revocation_list(const Authority& authority,
                                          const std::vector<std::string>& serials, WallTime now,
                                          Millis life) {
    ASSIGN_OR_RETURN(const auto issuer, open_authority(authority));
    CrlHandle list(X509_CRL_new());
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
    std::unique_ptr<ASN1_TIME, OpensslFree<ASN1_TIME_free>> from(
        ASN1_TIME_set(nullptr, now.ms / 1000));
    std::unique_ptr<ASN1_TIME, OpensslFree<ASN1_TIME_free>> until(
        ASN1_TIME_set(nullptr, (now + life).ms / 1000));
    X509_CRL_set1_lastUpdate(list.get(), from.get());
    X509_CRL_set1_nextUpdate(list.get(), until.get());
    for (const std::string& serial : serials) {
        ASSIGN_OR_RETURN(const auto number, parse_serial(serial));
        X509_REVOKED* entry = X509_REVOKED_new();
        std::unique_ptr<ASN1_INTEGER, OpensslFree<ASN1_INTEGER_free>> value(
            BN_to_ASN1_INTEGER(number.get(), nullptr));
        X509_REVOKED_set_serialNumber(entry, value.get());
        X509_REVOKED_set_revocationDate(entry, from.get());
        X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_CRL_sort(list.get());
    if (X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) == 0)
        return openssl_failure(ErrorCode::kInternal, "cannot sign the revocation list");
    BioHandle bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509_CRL(bio.get(), list.get()) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot write the revocation list");
    return bio_text(bio.get());
}

}  // namespace blixard::cluster
