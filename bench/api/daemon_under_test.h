// A real daemon with a data directory of its own, and the few things a measurement asks of it one
// at a time.
#pragma once

#include <memory>
#include <string>

#include "bench/api/api.h"
#include "bench/api/http_client.h"
#include "bench/api/process.h"

namespace blixard::bench {

class DaemonUnderTest {
 public:
    // Ready to answer when it returns.
    static Result<std::unique_ptr<DaemonUnderTest>> start(const ApiOptions& options);
    ~DaemonUnderTest();  // ends the daemon and removes its directory

    Endpoint unix_way() const { return {directory_ + "/socket"}; }
    Endpoint tcp_way() const { return {tcp_}; }
    const ServerProcess& process() const { return *process_; }

    // One request on a connection that is kept; an answer that is not 2xx is an error that quotes
    // it.
    Result<Answer> ask(std::string_view method, std::string_view target,
                       std::string_view body = {});
    // An image that passes inspection and boots nothing: for VMs that stay stopped.
    Status make_idle_image(const std::string& name);
    // Debian's kernel and busybox, made by the daemon's own command line.
    Status build_demo_image();

 private:
    explicit DaemonUnderTest(std::string program, std::string directory)
        : program_(std::move(program)), directory_(std::move(directory)) {}
    Status wait_until_ready();

    const std::string program_, directory_;
    std::string tcp_;
    std::unique_ptr<ServerProcess> process_;
    std::unique_ptr<HttpClient> client_;
};

}  // namespace blixard::bench
