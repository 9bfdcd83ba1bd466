#include "api/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/subject.h"
#include "base/mutant.h"
namespace blixard::api {
namespace {

constexpr std::size_t kStreamsMax = 5000;
// What a client that catches up is given, so that a quick one is not taken for a slow one: well
// below what the transport buffers for a stream.
constexpr std::size_t kPumpBytes = 64 * 1024;
constexpr Millis kPumpEvery = Millis{10};
constexpr Millis kKeepAliveEvery = seconds(15);

Result<std::optional<EventPlace>> parse_from(const Request& request) {
    std::string_view text = request.last_event_id;
    std::string_view field = "Last-Event-ID";
    if (text.empty()) {
        const std::string* from = request.find_query("from");
        if (!from || from->empty()) return std::optional<EventPlace>{};
        text = *from;
        field = "from";
    }
    if (const auto place = parse_event_place(text)) return place;
    return fail_field(std::string(field), fmt::format("\"{}\" is not the id of an event", text),
                      "send the id of the last event you have, or a revision");
}

}  // namespace

Events::Events(store::Store& store, Crossing& crossing, view::View& view, std::size_t kept)
    : store_(store), crossing_(crossing), view_(view), ring_(kept) {}

void Events::start(store::Revision revision) { revision_ = revision; }

// ---- a new stream ----

void Events::open(const CallPtr& call) {
    const auto filter = parse_event_filter(call->request);
    if (!filter) return call->refuse(filter.error());
    const auto from = parse_from(call->request);
    if (!from) return call->refuse(from.error());
    // From a place in the past it may hear of a project that has gone since, up to its end.
    if (!*from && !filter->project.empty() && !has_project(*view_.current(), filter->project))
        return call->refuse(not_found({Kind::kProject, {}, filter->project}));
    if (clients_.size() >= kStreamsMax)
        return call->refuse({ErrorCode::kUnavailable,
                             fmt::format("{} event streams are open already", kStreamsMax),
                             {},
                             "close some, or ask another host"});
    if (!used_) {
        used_ = true;
        ring_.restart(revision_ + 1);
    }
    const EventPlace place = from->value_or(EventPlace{revision_});
    if (place.revision > revision_) return check_future(call, *filter, place);
    open_at(call, *filter, place);
}

// A revision that this daemon has not seen: another has, or the client's state is of another store.
void Events::check_future(const CallPtr& call, const EventFilter& filter, EventPlace from) {
    store_.current_revision(
        crossing_.back<store::Revision>([this, call, filter, from](Result<store::Revision> newest) {
            if (!newest) return call->refuse(newest.error());
            if (from.revision > *newest)
                return call->refuse(
                    {ErrorCode::kInvalid,
                     fmt::format("revision {} has not happened yet: the newest is {}",
                                 from.revision, *newest),
                     "from", "read the lists anew, and resume from the revision they give"});
            open_at(call, filter, from);
        }));
}

void Events::open_at(const CallPtr& call, const EventFilter& filter, EventPlace from) {
    Client client;
    client.id = ++last_client_;
    client.call = call;
    client.filter = filter;
    client.at = from;
    const ClientId id = client.id;
    clients_.emplace(id, std::move(client));
    pump(id);
    keep_alive();
}

void Events::begin_stream(Client& client) {
    if (client.stream) return;
    Response head;
    head.content_type = "text/event-stream";
    head.route = client.call->route;
    head.headers.emplace_back("Cache-Control", "no-store");
    client.stream = client.call->responder->start_stream(std::move(head));
    client.call = nullptr;
    client.stream->on_closed(crossing_.guarded([this, id = client.id] {
        if (const auto found = clients_.find(id); found != clients_.end()) end(found->second);
    }));
    write(client, fmt::format(": events from here on\nid: {}\n\n", to_text(client.at)));
}

// ---- news ----

void Events::on_update(const view::Update& update) {
    const store::Revision before = std::exchange(revision_, update.snapshot->revision);
    if (!used_) return;
    if (update.reloaded) {  // what happened between `before` and now is in the store's history only
        ring_.restart(revision_ + 1);
        std::vector<ClientId> behind;
        for (auto& [id, client] : clients_) {
            if (!client.live) continue;
            client.live = revision_ <= before;
            if (!client.live) behind.push_back(id);
        }
        for (const ClientId id : behind) pump(id);
        return;
    }
    for (const EventPtr& event : make_events(update.changes, *update.snapshot)) publish(event);
    for (auto& [id, client] : clients_)
        if (client.live && client.at.revision <= revision_) client.at = {revision_};
}

void Events::publish(const EventPtr& event) {
    ring_.append(event);
    for (auto& [id, client] : clients_)
        if (client.live && !client.over) give(client, *event);
}

void Events::give(Client& client, const Event& event) {
    if (event.place <= client.at) return;
    client.at = event.place;
    if (passes(client.filter, event)) write(client, event.text);
}

void Events::write(Client& client, std::string_view text) {
    if (!client.over && !client.stream->write(text)) end(client);
}

// ---- catching up ----

// Sends what the client has missed, a piece at a time.
void Events::pump(ClientId id) {
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    Client& client = found->second;
    if (client.timer != 0) return;  // it has had its piece for now
    std::size_t budget = kPumpBytes;
    while (!client.over && !client.live && budget > 0) {
        if (!client.past.empty()) {
            if (!pump_past(client, budget)) break;
        } else if (client.history || !ring_.reaches(client.at)) {
            if (!pump_history(client)) return;
        } else if (!pump_ring(client, budget)) {
            break;
        }
    }
    if (client.over || client.live) return;
    client.timer = crossing_.after(kPumpEvery, [this, id] {
        const auto waiting = clients_.find(id);
        if (waiting == clients_.end()) return;
        waiting->second.timer = 0;
        pump(id);
    });
}

namespace {

// False: the budget is used up.
bool spend(std::size_t& budget, std::size_t bytes) {
    budget -= std::min(budget, bytes);
    return budget > 0;
}

}  // namespace

bool Events::pump_past(Client& client, std::size_t& budget) {
    begin_stream(client);
    while (!client.past.empty() && !client.over) {
        const EventPtr event = std::move(client.past.front());
        client.past.pop_front();
        give(client, *event);
        if (!spend(budget, event->text.size())) return false;
    }
    return !client.over;
}

// False: nothing has come yet.
bool Events::pump_history(Client& client) {
    if (!client.history) {
        const bool whole =
            client.at.within == EventPlace::kWhole || mutant(MutantId::kHalfRevision);
        client.history =
            std::make_unique<EventHistory>(store_, crossing_, client.at.revision + (whole ? 1 : 0),
                                           [this, id = client.id] { pump(id); });
        return false;
    }
    EventHistory& history = *client.history;
    if (history.taken() > client.at.revision) client.at = {history.taken()};  // all of it was sent
    if (ring_.reaches(client.at)) {
        client.history = nullptr;
        return true;
    }
    if (!history.empty()) {
        const view::SnapshotPtr state = view_.current();
        for (EventPtr& event : make_events(history.take(), *state))
            client.past.push_back(std::move(event));
        return true;
    }
    if (history.error()) history_failed(client, Error(*history.error()));
    return false;
}

void Events::history_failed(Client& client, const Error& error) {
    Error told = error;
    if (error.code == ErrorCode::kCompacted) {
        told.message =
            fmt::format("the events behind revision {} are no longer kept", client.at.revision);
        told.help = "read the lists anew, and resume from the revision they give";
    }
    if (client.stream) {
        write(client, error_event(told));
        if (!client.over) client.stream->close();
    } else {
        client.call->refuse(told);
    }
    end(client);
}

// True: it has caught up.
bool Events::pump_ring(Client& client, std::size_t& budget) {
    begin_stream(client);
    while (const EventPtr event = ring_.next(client.at)) {
        if (mutant(MutantId::kEventLost) && !ring_.next(event->place)) break;
        give(client, *event);
        if (client.over || !spend(budget, event->text.size())) return false;
    }
    if (client.at.revision <= revision_) client.at = {revision_};
    client.live = true;
    return true;
}

// ---- the end of a stream ----

void Events::end(Client& client) {
    client.over = true;
    sweep_later();
}

void Events::sweep_later() {
    if (std::exchange(sweeping_, true)) return;
    crossing_.here().post(crossing_.guarded([this] {
        sweeping_ = false;
        std::erase_if(clients_, [this](const auto& entry) {
            if (entry.second.over) crossing_.here().cancel(entry.second.timer);
            return entry.second.over;
        });
    }));
}

// Shows both sides that the other is there; and moves the place of those whose filter lets little
// through, so that they need not go far back when they come again.
void Events::keep_alive() {
    if (clients_.empty() || std::exchange(keeping_alive_, true)) return;
    crossing_.after(kKeepAliveEvery, [this] {
        keeping_alive_ = false;
        const std::string text = fmt::format(": keep-alive\nid: {}\n\n", revision_);
        for (auto& [id, client] : clients_)
            if (client.live && !client.over && client.at.revision <= revision_) write(client, text);
        keep_alive();
    });
}

}  // namespace blixard::api
