#include "os/tcp_table.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "os/unique_fd.h"

namespace blixard::os {
namespace {

TEST(TcpTable, established_connections_are_read_and_others_left_out) {
    const auto found = parse_tcp_table(
        "  sl  local_address rem_address   st tx_queue rx_queue\n"
        "   0: 0100007F:1CFD 00000000:0000 0A 00000000:00000000 00:00000000\n"
        "   1: 0101000A:1CFD 0202000A:C0DE 01 00000000:00000000 00:00000000\n"
        "   2: nonsense\n");
    EXPECT_EQ(found, (std::vector<TcpConnection>{{"10.0.2.2", 7421}}));
}

TEST(TcpTable, an_address_over_ipv6_is_known_and_a_mapped_one_is_ipv4) {
    const auto found = parse_tcp_table(
        " 0: 00000000000000000000000001000000:1CFE 00000000000000000000000001000000:9000 01 0\n"
        " 1: 0000000000000000FFFF00000101000A:1CFE 0000000000000000FFFF00000202000A:9000 01 0\n");
    EXPECT_EQ(found, (std::vector<TcpConnection>{{"::1", 7422}, {"10.0.2.2", 7422}}));
}

TEST(TcpTable, a_connection_of_this_process_is_seen_while_it_stands) {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const int port = ntohs(address.sin_port);
    EXPECT_EQ(is_connected({"127.0.0.1"}, {port}), false);
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    const UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
    EXPECT_EQ(is_connected({"127.0.0.1"}, {port}), true);
    EXPECT_EQ(is_connected({"127.0.0.2"}, {port}), false);
}

}  // namespace
}  // namespace blixard::os
