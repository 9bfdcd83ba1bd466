// The two kinds of byte streams under a connection, as Asio types. Only transport.cc, websocket.cc
// and server.cc include this.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "api/http/transport.h"

namespace blixard::api::http {

namespace asio = boost::asio;

// Unix and TCP alike.
using PlainStream =
    asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;
using TlsStream = asio::ssl::stream<PlainStream>;

std::shared_ptr<Transport> make_transport(PlainStream stream, Principal principal);
// The handshake comes with the first read. `context` outlives the transport.
std::shared_ptr<Transport> make_transport(PlainStream stream, asio::ssl::context& context);

std::shared_ptr<Socket> start_websocket(PlainStream stream, const RequestHead& head,
                                        const Limits& limits, std::function<void()> ended);
std::shared_ptr<Socket> start_websocket(TlsStream stream, const RequestHead& head,
                                        const Limits& limits, std::function<void()> ended);

}  // namespace blixard::api::http
