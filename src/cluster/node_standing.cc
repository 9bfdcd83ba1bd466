// How this host stands with its cluster: a member that does its part, one that cannot, or one that
// was removed while it was away. Who was removed cannot read so in the store, which refuses it; a
// voter's daemon tells it.
#include "cluster/node_impl.h"

namespace blixard::cluster {
namespace {

constexpr Millis kAskInTrouble = seconds(5);
// A worker has no duties that would show it that it is refused.
constexpr Millis kAskOtherwise = seconds(30);

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace

Status Node::standing() const { return impl_->check_standing(); }

Status Node::Impl::check_standing() const {
    const std::lock_guard lock(mutex);
    if (!identity) return {};
    if (removal) return fail(*removal);
    if (trouble && !membership->meta) return fail(*trouble);
    return {};
}

Error Node::Impl::store_silent(const Identity& who) const {
    return {ErrorCode::kUnavailable,
            "the store of this host's cluster has not answered since the daemon started, " +
                std::to_string((clock.mono() - started_at).count / 1000) +
                " s ago; asked: " + joined(endpoints_own_first()),
            {},
            "bring back a majority of its voters (" + joined(who.voter_addresses) +
                "), and it goes on by itself; if their disks are lost: blixard cluster leave "
                "--abandon, then restore a backup"};
}

// The voters' daemons are asked where something is wrong, and now and then.
Status Node::Impl::check_with_voters(const Identity& who, bool does_duty) {
    const MonoTime now = clock.mono();
    if (does_duty && who.runs_etcd) {
        voters_said = {};  // its etcd is one of theirs
        return {};
    }
    if (now - voters_asked_at < (does_duty ? kAskOtherwise : kAskInTrouble)) return voters_said;
    voters_asked_at = now;
    voters_said = check_still_accepted(who.name, ask_voters(who));
    return voters_said;
}

// All at once; each answers within kHelloTimeout, or does not.
std::vector<Status> Node::Impl::ask_voters(const Identity& who) {
    std::vector<std::future<Status>> asked;
    for (const std::string& address : who.voter_addresses) {
        if (address == who.advertise) continue;
        auto promise = std::make_shared<std::promise<Status>>();
        asked.push_back(promise->get_future());
        loop.post([this, promise, address] {
            if (!client)
                return promise->set_value(fail(ErrorCode::kUnavailable, "this host is stopping"));
            client->hello_at(address, [promise](Result<Hello> hello) {
                promise->set_value(hello ? Status{} : Status(fail(hello.error())));
            });
        });
    }
    std::vector<Status> answers;
    for (auto& answer : asked) answers.push_back(answer.get());
    return answers;
}

void Node::Impl::note_standing(const Status& member, const Status& duty) {
    const auto error_of = [](const Status& status) {
        return status ? std::nullopt : std::optional(status.error());
    };
    const auto told = removal ? removal : trouble;
    const auto now = member ? error_of(duty) : error_of(member);
    if (now && (!told || told->code != now->code))
        log.warn("cluster duty", {{"node", settings.name}, {"error", describe(*now)}});
    const std::lock_guard lock(mutex);
    removal = error_of(member);
    trouble = error_of(duty);
}

}  // namespace blixard::cluster
