// Real etcd processes for tests, on free ports of the loopback, in a directory of their own; killed
// when it is over.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "store/temp_dir.h"

namespace blixard::store {

inline int free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(descriptor);
    return ntohs(address.sin_port);
}

class EtcdCluster {
 public:
    // `durable`: with fsync, as in service. More `flags` are handed on.
    explicit EtcdCluster(int members, bool durable = false, std::vector<std::string> flags = {})
        : durable_(durable), flags_(std::move(flags)) {
        for (int i = 0; i < members; ++i) members_.push_back({free_port(), free_port()});
        for (int i = 0; i < members; ++i) start(i);
    }
    ~EtcdCluster() {
        for (int i = 0; i < size(); ++i) kill(i);
    }
    EtcdCluster(const EtcdCluster&) = delete;
    EtcdCluster& operator=(const EtcdCluster&) = delete;

    int size() const { return static_cast<int>(members_.size()); }
    std::string endpoint(int i) const {
        return "127.0.0.1:" + std::to_string(members_[i].client_port);
    }
    std::string peer_url(int i) const {
        return "http://127.0.0.1:" + std::to_string(members_[i].peer_port);
    }
    std::vector<std::string> endpoints() const {
        std::vector<std::string> all;
        for (int i = 0; i < size(); ++i) all.push_back(endpoint(i));
        return all;
    }
    pid_t pid(int i) const { return members_[i].pid; }
    std::string directory() const { return dir_.path(); }

    void start(int i) { start(i, "new"); }
    void signal(int i, int number) {
        if (members_[i].pid > 0) ::kill(members_[i].pid, number);
    }
    void kill(int i) {
        if (members_[i].pid <= 0) return;
        ::kill(members_[i].pid, SIGKILL);
        ::waitpid(members_[i].pid, nullptr, 0);
        members_[i].pid = 0;
    }
    // A place for one more, which start_joining() starts once the cluster knows its peer URL.
    int reserve() {
        members_.push_back({free_port(), free_port()});
        return size() - 1;
    }
    void start_joining(int i) { start(i, "existing"); }

 private:
    struct Member {
        int client_port = 0;
        int peer_port = 0;
        pid_t pid = 0;
    };

    std::string name(int i) const { return "m" + std::to_string(i); }

    void start(int i, const std::string& state) {
        std::string initial;
        for (int m = 0; m < size(); ++m) initial += (m ? "," : "") + name(m) + "=" + peer_url(m);
        const std::string client = "http://" + endpoint(i);
        std::vector<std::string> arguments = {"etcd",
                                              "--name",
                                              name(i),
                                              "--data-dir",
                                              dir_.file(name(i)),
                                              "--listen-client-urls",
                                              client,
                                              "--advertise-client-urls",
                                              client,
                                              "--listen-peer-urls",
                                              peer_url(i),
                                              "--initial-advertise-peer-urls",
                                              peer_url(i),
                                              "--initial-cluster",
                                              initial,
                                              "--initial-cluster-state",
                                              state,
                                              "--logger",
                                              "zap",
                                              "--log-level",
                                              "error"};
        if (!durable_) arguments.push_back("--unsafe-no-fsync");
        arguments.insert(arguments.end(), flags_.begin(), flags_.end());
        members_[i].pid = spawn(arguments, dir_.file(name(i) + ".log"));
    }

    static pid_t spawn(const std::vector<std::string>& arguments, const std::string& log) {
        std::vector<char*> argv;
        for (const std::string& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        const pid_t parent = ::getpid();
        const pid_t child = ::fork();
        if (child != 0) return child;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(output, 1);
        ::dup2(output, 2);
        ::execvp("etcd", argv.data());
        ::_exit(127);
    }

    TempDir dir_;
    const bool durable_;
    const std::vector<std::string> flags_;
    std::vector<Member> members_;
};

}  // namespace blixard::store
