#include "cluster/certificate.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <time.h>

#include "cluster/openssl_handles.h"

namespace blixard::cluster {
namespace {

std::string hex(const unsigned char* bytes, std::size_t size) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(size * 2);
    for (std::size_t i = 0; i < size; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

std::string name_entry(X509_NAME* name, int nid) {
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) return {};
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::string serial_text(const X509* certificate) {
    BignumHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    char* digits = BN_bn2hex(number.get());
    std::string text = digits;
    OPENSSL_free(digits);
    std::size_t zeros = 0;
    while (zeros + 1 < text.size() && text[zeros] == '0') ++zeros;
    text.erase(0, zeros);
    for (char& c : text)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

WallTime wall_time(const ASN1_TIME* time) {
    struct tm parts = {};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return {static_cast<std::int64_t>(timegm(&parts)) * 1000};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
    char text[INET6_ADDRSTRLEN] = {};
    const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text)) == nullptr) return {};
    return text;
}

void read_alternative_names(const X509* certificate, CertificateInfo& info) {
    NamesHandle names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (!names) return;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_IPADD) info.addresses.push_back(address_text(name->d.iPAddress));
        if (name->type == GEN_DNS)
            info.dns_names.emplace_back(
                reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    }
}

}  // namespace

Result<CertificateInfo> inspect_certificate(std::string_view pem) {
    const auto certificate = parse_certificate(pem);
    if (!certificate) return openssl_failure(ErrorCode::kInvalid, "the text is no certificate");
    CertificateInfo info;
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    info.name = name_entry(subject, NID_commonName);
    info.cluster_id = name_entry(subject, NID_organizationName);
    info.serial = serial_text(certificate.get());
    info.not_before = wall_time(X509_get0_notBefore(certificate.get()));
    info.not_after = wall_time(X509_get0_notAfter(certificate.get()));
    info.authority = X509_check_ca(certificate.get()) == 1;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot hash the certificate");
    info.fingerprint = hex(digest, size);
    read_alternative_names(certificate.get(), info);
    return info;
}

Status check_issued_by(std::string_view pem, std::string_view authority_pem, WallTime now) {
    const auto certificate = parse_certificate(pem);
    const auto authority = parse_certificate(authority_pem);
    if (!certificate || !authority)
        return openssl_failure(ErrorCode::kInvalid, "the text is no certificate");
    if (X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) != 1) {
        ERR_clear_error();
        return fail(ErrorCode::kUnauthenticated,
                    "the certificate is not signed by this cluster's authority",
                    "it belongs to a host of another cluster");
    }
    ASSIGN_OR_RETURN(const auto info, inspect_certificate(pem));
    if (now < info.not_before || info.not_after < now)
        return fail(ErrorCode::kUnauthenticated,
                    "the certificate of \"" + info.name + "\" is valid from " +
                        to_rfc3339(info.not_before) + " to " + to_rfc3339(info.not_after) +
                        ", and it is " + to_rfc3339(now),
                    "check the clocks of both hosts");
    return {};
}

std::string cluster_dns_name(std::string_view cluster_id) {
    return std::string(cluster_id) + ".blixard";
}

Renewal judge_renewal(WallTime not_before, WallTime not_after, WallTime now) {
    if (not_after <= now) return Renewal::kExpired;
    const Millis life = not_after - not_before;
    return not_before + life * 2 / 3 <= now ? Renewal::kDue : Renewal::kNone;
}

std::string sha256_hex(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
    return hex(digest, size);
}

bool equal_secret(std::string_view one, std::string_view other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace blixard::cluster
