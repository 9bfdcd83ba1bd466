// For tests: a directory of its own that goes with it, a free port, and a host's certificate files
// in it.
#pragma once

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <string>

#include "base/assert.h"
#include "cluster/ca.h"
#include "os/clock.h"
#include "os/files.h"

namespace blixard::cluster {

class TestDirectory {
 public:
    TestDirectory() {
        char path[] = "/tmp/blixard-cluster-test-XXXXXX";
        ASSERT(mkdtemp(path) != nullptr);
        path_ = path;
    }
    ~TestDirectory() { (void)os::remove_tree(path_); }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
    std::string path_;
};

inline int free_port() {
    const os::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ASSERT(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ASSERT(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
}

// Writes ca.pem, host.pem, host.key and an empty crl.pem.
inline void write_host_files(const TestDirectory& directory, const Authority& authority,
                             const std::string& name, const std::string& serial) {
    const WallTime now = os::SystemClock().wall();
    const auto request = make_certificate_request(name);
    const auto certificate = issue_certificate(authority, request->request_pem,
                                               {"c1", name, {"127.0.0.1"}, serial, now});
    ASSERT(certificate);
    ASSERT(os::write_file_atomically(directory / "ca.pem", authority.certificate_pem));
    ASSERT(os::write_file_atomically(directory / "host.pem", *certificate));
    ASSERT(os::write_file_atomically(directory / "host.key", request->key_pem));
    ASSERT(os::write_file_atomically(directory / "crl.pem",
                                     *issue_revocation_list(authority, {}, now, kAuthorityLife)));
}

}  // namespace blixard::cluster
