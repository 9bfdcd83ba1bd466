// The daemon's HTTP API as calls: documents in and out, problem documents (RFC 9457) as errors. One
// thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/value.h"

namespace blixard::cli {

class Remote {
 public:
    explicit Remote(Endpoint endpoint) : client_(std::move(endpoint)) {}

    Client& client() { return client_; }

    // Told once, at the first answer that the daemon marks as possibly old: it cannot reach the
    // store, and how old its state may be.
    using Aged = std::function<void(Millis age, std::string_view revision)>;
    void on_aged(Aged aged) { aged_ = std::move(aged); }

    Result<Value> get(const std::string& path, const Query& query = {},
                      Millis timeout = kAnswerTimeout);
    Result<Value> post(const std::string& path, const Query& query, const Value& body,
                       Millis timeout = kAnswerTimeout);
    Result<Value> put(const std::string& path, const Query& query, const Value& body,
                      std::int64_t if_revision);
    Result<Value> patch(const std::string& path, const Query& query, const Value& body);
    Result<Value> remove(const std::string& path, const Query& query);
    // The body as it is.
    Result<std::string> get_text(const std::string& path, const Query& query = {});

    // Every item of a list, page by page; `revision`, where given, gets the list's.
    Result<Value::Array> list(const std::string& path, const Query& query,
                              std::int64_t* revision = nullptr);

    // POST of a file's bytes.
    Result<Value> upload(const std::string& path, const Query& query, int fd, std::uint64_t size,
                         const std::function<void(std::uint64_t)>& progress);

 private:
    Result<Value> ask(HttpRequest request, Millis timeout);
    void look_at_age(const HttpResponse& response);
    Client client_;
    Aged aged_;  // empty once it was told
};

// "/v1/vms/web-1": the name percent-encoded. An empty name is refused by the parser of arguments
// before.
std::string resource(std::string_view collection, std::string_view name);

// What a refusing answer says.
Error problem_of(const HttpResponse& response);
ErrorCode error_code_of(std::string_view name, int http_status);

}  // namespace blixard::cli
