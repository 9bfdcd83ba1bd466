#include "bench/api/daemon_under_test.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace blixard::bench {
namespace {

constexpr int kReadyWaitMs = 30'000;

// Free a moment ago, which is all that can be said.
int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

std::string last_lines(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    return all.size() > 1500 ? all.substr(all.size() - 1500) : all;
}

// A bzImage's marks (Linux, Documentation/arch/x86/boot.rst) and nothing else.
std::string kernel_of_no_use() {
    std::string bytes(4096, '\0');
    bytes.replace(510, 2, "\x55\xaa");
    bytes.replace(0x202, 4, "HdrS");
    return bytes;
}

}  // namespace

Result<std::unique_ptr<DaemonUnderTest>> DaemonUnderTest::start(const ApiOptions& options) {
    char name[] = "/tmp/blixard-bench-XXXXXX";
    auto daemon = std::unique_ptr<DaemonUnderTest>(
        new DaemonUnderTest(std::filesystem::absolute(options.blixard).string(), ::mkdtemp(name)));
    daemon->tcp_ = fmt::format("127.0.0.1:{}", free_port());
    ASSIGN_OR_RETURN(ServerProcess process,
                     ServerProcess::spawn(
                         {daemon->program_, "daemon", "--data-dir", daemon->directory_ + "/data",
                          "--socket", daemon->unix_way().text, "--listen", daemon->tcp_},
                         daemon->directory_ + "/log"));
    daemon->process_ = std::make_unique<ServerProcess>(std::move(process));
    RETURN_IF_ERROR(daemon->wait_until_ready());
    return daemon;
}

DaemonUnderTest::~DaemonUnderTest() {
    client_.reset();
    process_.reset();
    std::filesystem::remove_all(directory_);
}

Status DaemonUnderTest::wait_until_ready() {
    for (int waited = 0; waited < kReadyWaitMs; waited += 20) {
        if (!process_->alive()) break;
        auto client = HttpClient::connect(unix_way());
        if (client) {
            const auto answer = client->ask(request_text("GET", "/readyz"));
            if (answer && answer->status == 200) {
                client_ = std::make_unique<HttpClient>(std::move(*client));
                return {};
            }
        }
        ::poll(nullptr, 0, 20);
    }
    return fail(ErrorCode::kUnavailable, "the daemon did not become ready; its log ends with:\n" +
                                             last_lines(directory_ + "/log"));
}

Result<Answer> DaemonUnderTest::ask(std::string_view method, std::string_view target,
                                    std::string_view body) {
    auto answer = client_->ask(request_text(method, target, body));
    if (!answer) {  // an idle connection may have been closed
        ASSIGN_OR_RETURN(HttpClient again, HttpClient::connect(unix_way()));
        *client_ = std::move(again);
        answer = client_->ask(request_text(method, target, body));
    }
    if (!answer) return answer;
    if (answer->status < 200 || answer->status > 299)
        return fail(ErrorCode::kInternal,
                    fmt::format("{} {}: {} {}", method, target, answer->status, answer->body));
    return answer;
}

Status DaemonUnderTest::make_idle_image(const std::string& name) {
    ASSIGN_OR_RETURN(const Answer blob, ask("POST", "/v1/blobs", kernel_of_no_use()));
    const std::size_t at = blob.body.find("\"sha256\":\"");
    if (at == blob.body.npos) return fail(ErrorCode::kInternal, "no sha256 in " + blob.body);
    const std::string sha256 = blob.body.substr(at + 10, 64);
    RETURN_IF_ERROR(
        ask("POST", "/v1/images",
            fmt::format(R"({{"name":"{}","files":[{{"role":"kernel","sha256":"{}"}}]}})", name,
                        sha256)));
    return {};
}

Status DaemonUnderTest::build_demo_image() {
    const std::string log = directory_ + "/build-demo.log";
    if (run_command({program_, "--socket", unix_way().text, "image", "build-demo"}, log) == 0)
        return {};
    return fail(ErrorCode::kUnavailable, "blixard image build-demo failed: " + last_lines(log));
}

}  // namespace blixard::bench
