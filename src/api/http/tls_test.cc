#include "api/http/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>

#include "api/http/test_client.h"

namespace blixard::api::http {
namespace {

struct Identity {
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
};

// A key and a certificate for an hour, signed by `issuer` or by itself.
Identity make_identity(const char* name, const Identity* issuer) {
    Identity made{EVP_EC_gen("P-256"), X509_new()};
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(made.certificate,
                         X509_get_subject_name(issuer ? issuer->certificate : made.certificate));
    X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256());
    return made;
}

void write_pem(const Identity& identity, const std::string& certificate_path,
               const std::string& key_path) {
    FILE* const certificate = std::fopen(certificate_path.c_str(), "w");
    PEM_write_X509(certificate, identity.certificate);
    std::fclose(certificate);
    FILE* const key = std::fopen(key_path.c_str(), "w");
    PEM_write_PrivateKey(key, identity.key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(key);
}

class TlsTest : public ServerTest {
 protected:
    void SetUp() override {
        ServerTest::SetUp();
        ca_ = make_identity("test CA", nullptr);
        server_identity_ = make_identity("server", &ca_);
        operator_ = make_identity("alice", &ca_);
        stranger_ = make_identity("mallory", nullptr);
        files_ = {directory_ + "/server.pem", directory_ + "/server.key", {}};
        write_pem(server_identity_, files_.certificate, files_.key);
        write_pem(ca_, directory_ + "/ca.pem", directory_ + "/ca.key");
    }
    void TearDown() override {
        ServerTest::TearDown();
        for (const Identity& one : {ca_, server_identity_, operator_, stranger_}) {
            EVP_PKEY_free(one.key);
            X509_free(one.certificate);
        }
    }

    void serve_tls() {
        server_ = std::move(*Server::create({}));
        service_ = std::make_unique<TestService>(*server_);
        const auto port = server_->listen_tls("127.0.0.1", 0, files_);
        ASSERT_TRUE(port) << port.error().message;
        port_ = *port;
        server_->start(*service_);
    }

    // All that comes back; empty where the handshake fails.
    std::string ask_by_tls(const std::string& request, const Identity* identity) {
        SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        if (identity) {
            SSL_CTX_use_certificate(context, identity->certificate);
            SSL_CTX_use_PrivateKey(context, identity->key);
        }
        TestClient client = TestClient::to_tcp(port_);
        SSL* const session = SSL_new(context);
        SSL_set_fd(session, client.fd());
        std::string heard;
        if (SSL_connect(session) == 1 &&
            SSL_write(session, request.data(), static_cast<int>(request.size())) > 0) {
            char bytes[4096];
            for (int count; (count = SSL_read(session, bytes, sizeof bytes)) > 0;)
                heard.append(bytes, static_cast<std::size_t>(count));
        }
        SSL_free(session);
        SSL_CTX_free(context);
        return heard;
    }

    Identity ca_, server_identity_, operator_, stranger_;
    TlsFiles files_;
};

constexpr const char* kWho = "GET /who HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST_F(TlsTest, a_client_without_a_certificate_is_nobody) {
    serve_tls();
    EXPECT_EQ(body_of(ask_by_tls(kWho, nullptr)), "anonymous");
    EXPECT_GT(
        ask_by_tls("GET /list HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", nullptr).size(),
        1'400'000u);
}

TEST_F(TlsTest, a_certificate_of_our_ca_is_an_operator_and_any_other_fails) {
    files_.client_ca = directory_ + "/ca.pem";
    serve_tls();
    EXPECT_EQ(body_of(ask_by_tls(kWho, &operator_)), "cert:alice admin");
    EXPECT_EQ(body_of(ask_by_tls(kWho, nullptr)), "anonymous");
    EXPECT_EQ(ask_by_tls(kWho, &stranger_), "");
}

TEST_F(TlsTest, plain_text_on_the_tls_port_ends_the_connection) {
    serve_tls();
    auto client = TestClient::to_tcp(port_);
    EXPECT_EQ(status_of(client.get("/hello")), 0);
    EXPECT_EQ(body_of(ask_by_tls(kWho, nullptr)), "anonymous");
}

TEST_F(TlsTest, a_missing_or_wrong_file_is_named) {
    const auto server = *Server::create({});
    TlsFiles missing = files_;
    missing.certificate = "/does/not/exist";
    EXPECT_NE(server->listen_tls("127.0.0.1", 0, missing).error().message.find("/does/not/exist"),
              std::string::npos);
    TlsFiles other_key = files_;
    other_key.key = directory_ + "/ca.key";
    EXPECT_NE(server->listen_tls("127.0.0.1", 0, other_key).error().message.find("ca.key"),
              std::string::npos);
}

}  // namespace
}  // namespace blixard::api::http
