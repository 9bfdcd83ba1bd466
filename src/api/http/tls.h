// Certificates: what we show, and who shows us one.
#pragma once

#include <openssl/ssl.h>

#include "api/exchange.h"
#include "api/http/server.h"

namespace blixard::api::http {

// TLS 1.2 and later, ALPN "http/1.1". Errors name the file that is wrong.
Status set_up_tls(SSL_CTX* context, const TlsFiles& files);

// The subject's common name of a client certificate that our CA has signed ("cert:NAME", an admin);
// else "anonymous", who is none.
Principal tls_principal(SSL* session);

}  // namespace blixard::api::http
