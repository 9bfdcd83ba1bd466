// fetch_authority(): a TLS handshake that trusts nobody, to see who is there before gRPC may trust
// exactly that one.
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include "cluster/membership.h"
#include "cluster/openssl_handles.h"
#include "cluster/peer_client.h"
#include "os/clock.h"
#include "os/unique_fd.h"

namespace blixard::cluster {
namespace {

using ContextHandle = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, OpensslFree<SSL_free>>;

// True when `fd` is ready before `deadline`.
bool wait_fd(int fd, short events, MonoTime deadline) {
    const os::SystemClock clock;
    pollfd one{fd, events, 0};
    const std::int64_t left = (deadline - clock.mono()).count;
    return left > 0 && ::poll(&one, 1, static_cast<int>(left)) == 1;
}

Result<os::UniqueFd> connect_to(const std::string& address, MonoTime deadline) {
    ASSIGN_OR_RETURN(const HostPort target, parse_host_port(address));
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found) !=
        0)
        return fail(ErrorCode::kUnavailable, "\"" + target.host + "\" is not known here");
    const std::unique_ptr<addrinfo, OpensslFree<::freeaddrinfo>> owned(found);
    os::UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS)
        return fail(ErrorCode::kUnavailable, "nobody answers at " + address);
    int error = 0;
    socklen_t size = sizeof(error);
    if (!wait_fd(fd.get(), POLLOUT, deadline) ||
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return fail(ErrorCode::kUnavailable, "nobody answers at " + address,
                    "is its daemon running, and does a firewall stand between?");
    return fd;
}

Status shake_hands(SSL* ssl, int fd, const std::string& address, MonoTime deadline) {
    while (true) {
        const int result = SSL_connect(ssl);
        if (result == 1) return {};
        const int want = SSL_get_error(ssl, result);
        const bool again = want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE;
        if (!again || !wait_fd(fd, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
            return openssl_failure(ErrorCode::kUnavailable,
                                   "whoever listens at " + address + " does not speak TLS");
    }
}

Result<std::string> certificate_pem(X509* certificate) {
    const BioHandle bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(bio.get(), certificate) != 1)
        return openssl_failure(ErrorCode::kInternal, "cannot write a certificate");
    return bio_text(bio.get());
}

}  // namespace

Result<std::string> fetch_authority(const std::string& address, const std::string& fingerprint,
                                    Millis timeout) {
    const MonoTime deadline = os::SystemClock().mono() + timeout;
    ASSIGN_OR_RETURN(const auto fd, connect_to(address, deadline));
    const ContextHandle context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};  // gRPC refuses who does not offer it
    SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
    const SslHandle ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), fd.get());
    RETURN_IF_ERROR(shake_hands(ssl.get(), fd.get(), address, deadline));
    STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl.get());
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
        ASSIGN_OR_RETURN(std::string pem, certificate_pem(sk_X509_value(chain, i)));
        ASSIGN_OR_RETURN(const auto info, inspect_certificate(pem));
        if (info.authority && equal_secret(info.fingerprint, fingerprint)) return pem;
    }
    return fail(
        ErrorCode::kUnauthenticated,
        "the host at " + address +
            " is of another cluster than the join token: its authority has another fingerprint",
        "check the address, and that the token is of the cluster you mean");
}

}  // namespace blixard::cluster
