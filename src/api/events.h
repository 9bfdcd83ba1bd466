// The event streams (GET /v1/events): from the ring of recent events, or from the store's history
// until that meets the ring. A client is somewhere in one order of all events; it gets each event
// behind that place once, whichever way it comes.
//
// Threads: everything on the API's executor.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "api/call.h"
#include "api/crossing.h"
#include "api/event_history.h"
#include "api/event_ring.h"
#include "api/event_text.h"

namespace blixard::api {

class Events {
 public:
    Events(store::Store& store, Crossing& crossing, view::View& view, std::size_t kept);

    // Where the state stands before the first on_update.
    void start(store::Revision revision);
    void on_update(const view::Update& update);

    // Answers with a stream, or with a problem (410: the place it asks for is no longer kept).
    void open(const CallPtr& call);

    std::size_t streams() const { return clients_.size(); }

 private:
    using ClientId = std::uint64_t;
    struct Client {
        ClientId id = 0;
        CallPtr call;                    // until the stream begins
        std::shared_ptr<Stream> stream;  // null until then
        EventFilter filter;
        EventPlace at;      // everything up to here was sent, or did not pass the filter
        bool live = false;  // gets each event as it comes
        bool over = false;
        std::unique_ptr<EventHistory> history;  // while it is behind the ring
        std::deque<EventPtr> past;              // of the history, not sent yet
        TimerId timer = 0;
    };

    void open_at(const CallPtr& call, const EventFilter& filter, EventPlace from);
    void check_future(const CallPtr& call, const EventFilter& filter, EventPlace from);
    void publish(const EventPtr& event);
    void begin_stream(Client& client);
    void give(Client& client, const Event& event);
    void write(Client& client, std::string_view text);
    void pump(ClientId id);
    bool pump_past(Client& client, std::size_t& budget);
    bool pump_history(Client& client);
    bool pump_ring(Client& client, std::size_t& budget);
    void history_failed(Client& client, const Error& error);
    void end(Client& client);
    void sweep_later();
    void keep_alive();

    store::Store& store_;
    Crossing& crossing_;
    view::View& view_;
    std::map<ClientId, Client> clients_;
    ClientId last_client_ = 0;
    EventRing ring_;
    bool used_ = false;  // nobody listened yet: nothing is encoded
    bool sweeping_ = false;
    bool keeping_alive_ = false;
    store::Revision revision_ = 0;  // the ring's newest
};

}  // namespace blixard::api
