// A daemon for tests: answers HTTP/1.1 on a unix socket of its own, one connection after another,
// each on one thread. Honest about what it was asked: `requests()` tells.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace blixard::cli {

struct SeenRequest {
    std::string method;
    std::string target;
    std::string head;  // with the request line
    std::string body;
};

class TestServer {
 public:
    // The raw bytes to answer with; empty: the connection is closed without an answer.
    using Handler = std::function<std::string(const SeenRequest&)>;

    explicit TestServer(Handler handler);
    ~TestServer();

    const std::string& socket_path() const { return path_; }
    std::vector<SeenRequest> requests() const;
    SeenRequest request(std::size_t index) const;  // empty where there were not so many
    int connections() const;
    // Behind an answer of 101: what the client sent on, byte by byte; what the handler returns is
    // sent.
    std::function<std::string(std::string_view)> on_upgraded;
    bool close_after_each = false;

 private:
    void serve();
    void serve_connection(int fd);

    Handler handler_;
    std::string directory_;
    std::string path_;
    int listener_ = -1;
    int stop_pipe_[2] = {-1, -1};
    mutable std::mutex mutex_;
    std::vector<SeenRequest> requests_;  // GUARDED_BY(mutex_)
    int connections_ = 0;                // GUARDED_BY(mutex_)
    std::thread thread_;
};

std::string answer(int status, const std::string& body,
                   const std::string& content_type = "application/json");
std::string problem(int status, const std::string& code, const std::string& detail,
                    const std::string& field = "", const std::string& help = "");

}  // namespace blixard::cli
