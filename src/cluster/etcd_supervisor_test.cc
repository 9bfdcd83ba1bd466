#include "cluster/etcd_supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "cluster/test_cluster_files.h"

namespace blixard::cluster {
namespace {

constexpr Millis kPatience = seconds(30);

class EtcdSupervisorTest : public testing::Test {
 protected:
    EtcdSupervisorTest() {
        write_host_files(directory_, *create_authority("c1", "1", os::SystemClock().wall()),
                         "host-1", "2");
        config_ = {.name = "host-1",
                   .cluster_id = "c1",
                   .data_directory = directory_ / "etcd",
                   .listen_host = "127.0.0.1",
                   .client_port = free_port(),
                   .peer_port = free_port(),
                   .authority_file = directory_ / "ca.pem",
                   .certificate_file = directory_ / "host.pem",
                   .key_file = directory_ / "host.key",
                   .revocation_file = directory_ / "crl.pem"};
        config_.initial_cluster = {{"host-1", etcd_client_url("127.0.0.1", config_.peer_port)}};
    }

    EtcdSupervisor supervisor() { return EtcdSupervisor(loop_, log_, directory_.path(), config_); }

    void stop(EtcdSupervisor& supervisor) {
        bool stopped = false;
        supervisor.stop(seconds(5), [&] { stopped = true; });
        EXPECT_TRUE(loop_.run_until([&] { return stopped; }, kPatience));
    }

    TestDirectory directory_;
    os::EventLoop loop_;
    NullLog log_;
    EtcdConfig config_;
};

TEST_F(EtcdSupervisorTest, restarts_an_etcd_that_was_killed) {
    auto supervisor = this->supervisor();
    ASSERT_TRUE(supervisor.start());
    const auto first = supervisor.status().process;
    ASSERT_EQ(::kill(first.pid, SIGKILL), 0);
    EXPECT_TRUE(loop_.run_until(
        [&] { return supervisor.status().running && !(supervisor.status().process == first); },
        kPatience));
    EXPECT_EQ(supervisor.status().restarts, 1);
    EXPECT_NE(supervisor.status().last_exit.find("signal 9"), std::string::npos);
    stop(supervisor);
    EXPECT_FALSE(supervisor.status().running);
}

TEST_F(EtcdSupervisorTest, starts_etcd_anew_when_asked_to) {
    auto supervisor = this->supervisor();
    ASSERT_TRUE(supervisor.start());
    const auto first = supervisor.status().process;
    supervisor.restart();
    EXPECT_TRUE(loop_.run_until(
        [&] { return supervisor.status().running && !(supervisor.status().process == first); },
        kPatience));
    stop(supervisor);
}

TEST_F(EtcdSupervisorTest, finds_the_etcd_of_an_earlier_daemon_again) {
    os::ProcessId first;
    {
        auto supervisor = this->supervisor();
        ASSERT_TRUE(supervisor.start());
        first = supervisor.status().process;
    }
    EXPECT_TRUE(os::process_lives(first));
    auto supervisor = this->supervisor();
    ASSERT_TRUE(supervisor.start());
    EXPECT_EQ(supervisor.status().process, first);
    stop(supervisor);
    EXPECT_FALSE(os::process_lives(first));
}

TEST_F(EtcdSupervisorTest, says_why_etcd_does_not_start_and_tries_again) {
    config_.certificate_file = directory_ / "missing.pem";
    auto supervisor = this->supervisor();
    ASSERT_TRUE(supervisor.start());
    EXPECT_TRUE(loop_.run_until([&] { return supervisor.status().restarts >= 2; }, kPatience));
    EXPECT_NE(supervisor.status().last_exit.find("missing.pem"), std::string::npos)
        << supervisor.status().last_exit;
    stop(supervisor);
}

TEST(EtcdPidFile, that_is_damaged_names_no_process) {
    EXPECT_EQ(parse_pid_file("123 456"), (os::ProcessId{123, 456}));
    for (const char* text : {"", "123", "x 1", "1 5", "-3 4"})
        EXPECT_FALSE(parse_pid_file(text)) << text;
}

}  // namespace
}  // namespace blixard::cluster
