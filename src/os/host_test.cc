#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "os/cgroup.h"
#include "os/host_facts.h"
#include "os/probe.h"
#include "os/temp_dir.h"
#include "os/unix_socket.h"

namespace blixard::os {
namespace {

TEST(HostFacts, are_parsed_from_kernel_texts) {
    EXPECT_EQ(parse_cpu_flags("processor: 0\nflags\t\t: vmx fpu  avx2\nbugs: x\n"),
              (std::vector<std::string>{"avx2", "fpu", "vmx"}));
    EXPECT_TRUE(parse_cpu_flags("processor: 0").empty());
    EXPECT_EQ(parse_meminfo_mib("Node 0 MemTotal:   2097152 kB\n", "MemTotal"), 2048);
    EXPECT_EQ(count_cpu_list("0-3,8\n"), 5);
    EXPECT_EQ(count_cpu_list("\n"), 0);
}

TEST(HostFacts, of_this_host_are_there) {
    const auto facts = read_host_facts();
    ASSERT_TRUE(facts) << describe(facts.error());
    EXPECT_GT(facts->cpus, 0);
    EXPECT_GT(facts->memory_mib, 0);
    EXPECT_FALSE(facts->numa.empty());
    EXPECT_EQ(facts->boot_id.size(), 36u);
    EXPECT_GT(disk_room("/tmp")->size_mib, 0);
    EXPECT_GT(measure_tsc_khz(), 100'000);
}

struct KernelFiles {
    TempDir dir;
    void make(const std::string& path) {
        ASSERT_TRUE(make_directories(parent_directory(dir.file(path)), 0755));
        ASSERT_TRUE(replace_file(dir.file(path), ""));
    }
};

TEST(Cgroups, version_1_writes_quota_and_memory_limit) {
    KernelFiles root;
    root.make("cpu/cgroup.procs");
    root.make("memory/cgroup.procs");
    for (const char* file : {"cpu.cfs_period_us", "cpu.cfs_quota_us"})
        root.make(std::string("cpu/b/vm/") + file);
    root.make("memory/b/vm/memory.limit_in_bytes");
    const Cgroups groups = Cgroups::detect("b", root.dir.path());
    EXPECT_EQ(groups.describe(), "control groups version 1: CPU and memory");
    ASSERT_TRUE(groups.set("vm", {.cpus = 1.5, .memory_bytes = 1048576}));
    EXPECT_EQ(*read_file(root.dir.file("cpu/b/vm/cpu.cfs_quota_us")), "150000");
    EXPECT_EQ(*read_file(root.dir.file("memory/b/vm/memory.limit_in_bytes")), "1048576");
    EXPECT_EQ(groups.member_files("vm").size(), 2u);
}

TEST(Cgroups, version_2_hands_the_controllers_down) {
    KernelFiles root;
    root.make("cgroup.controllers");
    ASSERT_TRUE(replace_file(root.dir.file("cgroup.controllers"), "cpuset cpu io memory pids\n"));
    for (const char* file : {"cgroup.subtree_control", "b/cgroup.subtree_control", "b/vm/cpu.max",
                             "b/vm/memory.max"}) {
        root.make(file);
    }
    const Cgroups groups = Cgroups::detect("b", root.dir.path());
    EXPECT_EQ(groups.version(), Cgroups::Version::kV2);
    ASSERT_TRUE(groups.set("vm", {.cpus = 0.25, .memory_bytes = 4096}));
    EXPECT_EQ(*read_file(root.dir.file("b/vm/cpu.max")), "25000 100000");
    EXPECT_EQ(*read_file(root.dir.file("b/vm/memory.max")), "4096");
}

TEST(Cgroups, where_there_are_none_it_says_so_and_does_nothing) {
    const TempDir empty;
    const Cgroups groups = Cgroups::detect("b", empty.path());
    EXPECT_NE(groups.describe().find("not enforced"), std::string::npos);
    EXPECT_TRUE(groups.set("vm", {.cpus = 1}));
    EXPECT_TRUE(groups.add("vm", 1));
    EXPECT_TRUE(list_directory(empty.path())->empty());
}

TEST(UnixSocket, messages_carry_descriptors_over_a_path_of_any_length) {
    const TempDir dir;
    const std::string deep = dir.file(std::string(100, 'd') + "/" + std::string(100, 'e'));
    ASSERT_TRUE(make_directories(deep));
    auto listener = listen_unix(deep + "/socket", SocketKind::kMessages);
    ASSERT_TRUE(listener) << describe(listener.error());
    auto client = connect_unix(deep + "/socket", SocketKind::kMessages);
    ASSERT_TRUE(client) << describe(client.error());
    auto server = accept_unix(listener->get());
    ASSERT_TRUE(server);
    EXPECT_EQ(peer_of(server->get())->uid, ::getuid());

    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    UniqueFd reader(ends[0]), writer(ends[1]);
    ASSERT_TRUE(send_message(client->get(), "take this", {writer.get()}));
    writer.reset();
    auto message = receive_message(server->get());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->bytes, "take this");
    ASSERT_EQ(message->fds.size(), 1u);
    ASSERT_EQ(::write(message->fds[0].get(), "x", 1), 1);
    char got = 0;
    EXPECT_EQ(::read(reader.get(), &got, 1), 1);
    client->reset();
    EXPECT_TRUE(receive_message(server->get())->closed);
}

TEST(UnixSocket, a_file_that_is_no_socket_is_not_replaced) {
    const TempDir dir;
    ASSERT_TRUE(replace_file(dir.file("data"), "precious"));
    EXPECT_EQ(listen_unix(dir.file("data"), SocketKind::kStream).error().code, ErrorCode::kExists);
    EXPECT_EQ(connect_unix(dir.file("none"), SocketKind::kStream).error().code,
              ErrorCode::kNotFound);
}

// A server that answers each connection with `answer`, and closes it unless `keep`.
struct TinyServer {
    EventLoop& loop;
    UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::vector<UniqueFd> kept;
    ProbeTarget target{"127.0.0.1", 0};

    TinyServer(EventLoop& on, std::string answer, bool keep) : loop(on) {
        sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener.get(), 8), 0);
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
        target.port = ntohs(address.sin_port);
        loop.watch_fd(listener.get(), EPOLLIN, [this, answer, keep](std::uint32_t) {
            UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
            if (!answer.empty()) {
                EXPECT_GT(::send(peer.get(), answer.data(), answer.size(), 0), 0);
            }
            if (keep) kept.push_back(std::move(peer));
        });
    }
    ~TinyServer() { loop.unwatch_fd(listener.get()); }
};

Result<bool> answer_of(EventLoop& loop, const std::function<void(Callback<bool>)>& probe) {
    std::optional<Result<bool>> answer;
    probe([&](Result<bool> value) { answer = std::move(value); });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }, seconds(10)));
    return answer.value_or(fail(ErrorCode::kInternal, "no answer"));
}

TEST(Probe, tcp_counts_a_connection_that_stays_or_speaks) {
    EventLoop loop;
    TinyServer silent(loop, "", true), closing(loop, "", false),
        greeting(loop, "220 hello\r\n", true);
    const auto probe = [&](const TinyServer& server) {
        return answer_of(loop,
                         [&](auto done) { probe_tcp(loop, server.target, seconds(5), done); });
    };
    EXPECT_TRUE(probe(silent));
    EXPECT_TRUE(probe(greeting));
    EXPECT_EQ(probe(closing).error().code, ErrorCode::kUnavailable);
}

TEST(Probe, tcp_to_a_port_that_nobody_has_is_refused) {
    EventLoop loop;
    std::uint16_t port = 0;
    {
        port = TinyServer(loop, "", true).target.port;
    }
    EXPECT_FALSE(answer_of(
        loop, [&](auto done) { probe_tcp(loop, {"127.0.0.1", port}, seconds(5), done); }));
}

TEST(Probe, http_counts_2xx_and_3xx_only) {
    EventLoop loop;
    TinyServer good(loop, "HTTP/1.1 204 No Content\r\n\r\n", true),
        moved(loop, "HTTP/1.0 302 Found\r\n\r\n", true),
        bad(loop, "HTTP/1.1 503 Busy\r\n\r\n", true), noise(loop, "SSH-2.0-x\r\n", true),
        mute(loop, "", true);
    const auto probe = [&](const TinyServer& server, Millis timeout) {
        return answer_of(loop,
                         [&](auto done) { probe_http(loop, server.target, "/", timeout, done); });
    };
    EXPECT_TRUE(probe(good, seconds(5)));
    EXPECT_TRUE(probe(moved, seconds(5)));
    EXPECT_NE(probe(bad, seconds(5)).error().message.find("503 Busy"), std::string::npos);
    EXPECT_FALSE(probe(noise, seconds(5)));
    EXPECT_EQ(probe(mute, Millis{50}).error().code, ErrorCode::kTimeout);
}

TEST(Probe, targets_are_addresses_in_digits) {
    EXPECT_EQ(parse_probe_target("127.0.0.1:80")->port, 80);
    EXPECT_EQ(parse_probe_target("[::1]:8080")->address, "::1");
    for (const char* wrong :
         {"", "80", "host:80", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:8x"}) {
        EXPECT_FALSE(parse_probe_target(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace blixard::os
