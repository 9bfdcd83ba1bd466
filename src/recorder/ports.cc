#include "recorder/ports.h"

#include <fmt/format.h>

#include "model/documents.h"
#include "recorder/redact.h"

namespace blixard::recorder {

// ---- time and chance

void RecordedExecutor::post(std::function<void()> task) {
    real_.post([this, number = recorder_.posted(), task = std::move(task)] {
        recorder_.post_runs(number, task);
    });
}

TimerId RecordedExecutor::after(Millis delay, std::function<void()> task) {
    return recorder_.armed(delay, [&](std::uint64_t number) {
        return real_.after(
            delay, [this, number, task = std::move(task)] { recorder_.timer_runs(number, task); });
    });
}

void RecordedExecutor::cancel(TimerId timer) { real_.cancel(recorder_.disarmed(timer)); }

std::uint64_t RecordedRandom::next() {
    std::uint64_t bits = real_.next();
    recorder_.saw(Tag::kRandom, bits);
    return bits;
}

// ---- the store

class RecordedStore::Watch final : public store::WatchHandler {
 public:
    Watch(Recorder& recorder, store::WatchHandler& handler)
        : recorder_(recorder), handler_(handler) {}
    void on_batch(store::WatchBatch batch) override {
        if (!recorder_.on()) return handler_.on_batch(std::move(batch));
        const store::WatchBatch seen = scrubbed(batch);
        recorder_.input(Tag::kBatch, [&] { handler_.on_batch(std::move(batch)); }, seen);
    }
    void on_end(Error error) override {
        ended = true;
        recorder_.input(Tag::kWatchEnd, [&] { handler_.on_end(error); }, error);
    }

    bool ended = false;

 private:
    Recorder& recorder_;
    store::WatchHandler& handler_;
};

RecordedStore::RecordedStore(Recorder& recorder, store::Store& real)
    : recorder_(recorder), real_(real) {}
RecordedStore::~RecordedStore() = default;

void RecordedStore::commit(store::Transaction transaction, Callback<store::Committed> done) {
    const auto call =
        recorder_.call(CallKind::kCommit, [&] { return transaction_text(transaction); });
    real_.commit(std::move(transaction), recorder_.answering(call, std::move(done)));
}

void RecordedStore::read(store::Range range, Callback<store::RangeResult> done) {
    const auto call = recorder_.call(CallKind::kRead, [&] { return text_of(range); });
    real_.read(std::move(range), recorder_.answering(call, std::move(done)));
}

void RecordedStore::current_revision(Callback<store::Revision> done) {
    const auto call = recorder_.call(CallKind::kCurrentRevision, [] { return std::string(); });
    real_.current_revision(recorder_.answering(call, std::move(done)));
}

store::WatchId RecordedStore::watch(std::string prefix, store::Revision from,
                                    store::WatchHandler& handler) {
    recorder_.call(CallKind::kWatch, [&] { return fmt::format("\"{}\" from {}", prefix, from); });
    std::erase_if(watches_, [](const auto& each) { return each.second->ended; });
    auto watch = std::make_unique<Watch>(recorder_, handler);
    const store::WatchId id = real_.watch(std::move(prefix), from, *watch);
    watches_[id] = std::move(watch);
    return id;
}

void RecordedStore::unwatch(store::WatchId watch) {
    recorder_.call(CallKind::kUnwatch, [] { return std::string(); });
    real_.unwatch(watch);
    watches_.erase(watch);
}

void RecordedStore::grant_lease(Millis ttl, Callback<store::LeaseGrant> done) {
    const auto call =
        recorder_.call(CallKind::kGrantLease, [&] { return fmt::format("of {} ms", ttl.count); });
    real_.grant_lease(ttl, recorder_.answering(call, std::move(done)));
}

void RecordedStore::renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) {
    const auto call =
        recorder_.call(CallKind::kRenewLease, [&] { return fmt::format("{}", lease); });
    real_.renew_lease(lease, recorder_.answering(call, std::move(done)));
}

void RecordedStore::revoke_lease(store::LeaseId lease, Callback<bool> done) {
    const auto call =
        recorder_.call(CallKind::kRevokeLease, [&] { return fmt::format("{}", lease); });
    real_.revoke_lease(lease, recorder_.answering(call, std::move(done)));
}

void RecordedStore::compact(store::Revision revision, Callback<store::Revision> done) {
    const auto call =
        recorder_.call(CallKind::kCompact, [&] { return fmt::format("before {}", revision); });
    real_.compact(revision, recorder_.answering(call, std::move(done)));
}

// ---- the hypervisor

std::vector<hypervisor::Instance> RecordedHypervisor::instances() const {
    std::vector<hypervisor::Instance> all = real_.instances();
    recorder_.saw_instances(all);
    return all;
}

void RecordedHypervisor::recover(Callback<std::vector<hypervisor::Instance>> done) {
    const auto call = recorder_.call(CallKind::kRecover, [] { return std::string(); });
    real_.recover(recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::start(hypervisor::Launch launch, Callback<hypervisor::Instance> done) {
    const auto call = recorder_.call(CallKind::kStart, [&] { return text_of(launch); });
    if (launch.still_allowed)
        launch.still_allowed = [this, call, ask = std::move(launch.still_allowed)] {
            bool allowed = false;
            recorder_.input(
                Tag::kAllowed,
                [&] {
                    allowed = ask();
                    recorder_.saw(Tag::kSays, allowed);
                },
                call.number);
            return allowed;
        };
    real_.start(std::move(launch), recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::stop(const hypervisor::InstanceId& id, Millis grace,
                              Callback<hypervisor::StopHow> done) {
    const auto call = recorder_.call(
        CallKind::kStop, [&] { return fmt::format("{}, within {} ms", text_of(id), grace.count); });
    real_.stop(id, grace, recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::kill(const hypervisor::InstanceId& id,
                              Callback<hypervisor::StopHow> done) {
    const auto call = recorder_.call(CallKind::kKill, [&] { return text_of(id); });
    real_.kill(id, recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::pause(const hypervisor::InstanceId& id, Callback<bool> done) {
    const auto call = recorder_.call(CallKind::kPause, [&] { return text_of(id); });
    real_.pause(id, recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::resume(const hypervisor::InstanceId& id, Callback<bool> done) {
    const auto call = recorder_.call(CallKind::kResume, [&] { return text_of(id); });
    real_.resume(id, recorder_.answering(call, std::move(done)));
}

void RecordedHypervisor::forget(const hypervisor::InstanceId& id) {
    recorder_.call(CallKind::kForget, [&] { return text_of(id); });
    real_.forget(id);
}

void RecordedHypervisor::purge(const std::string& vm, const std::string& uid, Callback<bool> done) {
    const auto call =
        recorder_.call(CallKind::kPurge, [&] { return fmt::format("{} {}", vm, uid); });
    real_.purge(vm, uid, recorder_.answering(call, std::move(done)));
}

std::vector<hypervisor::InstanceId> RecordedHypervisor::leftovers() const {
    std::vector<hypervisor::InstanceId> all = real_.leftovers();
    recorder_.saw(Tag::kLeftovers, all);
    return all;
}

void RecordedHypervisor::delete_disk(const std::string& path, Callback<bool> done) {
    const auto call = recorder_.call(CallKind::kDeleteDisk, [&] { return path; });
    real_.delete_disk(path, recorder_.answering(call, std::move(done)));
}

bool RecordedHypervisor::console_has(const std::string& vm, std::string_view text) {
    const bool has = real_.console_has(vm, text);
    recorder_.saw(Tag::kConsoleHas, has);
    return has;
}

void RecordedHypervisor::set_listener(std::function<void(const hypervisor::Event&)> listener) {
    real_.set_listener([this, listener = std::move(listener)](const hypervisor::Event& event) {
        // No control loop does anything about output on a console, and there is much of it.
        if (event.kind == hypervisor::Event::Kind::kConsole) return listener(event);
        recorder_.input(Tag::kEvent, [&] { listener(event); }, event);
    });
}

void RecordedHypervisor::feed(MonoTime deadline) {
    recorder_.call(CallKind::kFeed, [&] { return fmt::format("{}", deadline.ms); });
    real_.feed(deadline);
}

// ---- files and health

void RecordedBlobs::ensure(const std::string& sha256, Callback<std::string> done) {
    const auto call = recorder_.call(CallKind::kEnsureBlob, [&] { return sha256; });
    real_.ensure(sha256, recorder_.answering(call, std::move(done)));
}

void RecordedProbe::probe(const model::HealthCheck& check, const std::string& address,
                          Callback<bool> healthy) {
    const auto call = recorder_.call(CallKind::kProbe, [&] { return probe_text(check, address); });
    real_.probe(check, address, recorder_.answering(call, std::move(healthy)));
}

// ---- texts

std::string text_of(const store::Range& range) {
    return fmt::format("\"{}\" after \"{}\", {} at most, at {}", range.prefix, range.after,
                       range.limit, range.at);
}

std::string text_of(const hypervisor::InstanceId& id) {
    return fmt::format("{} (uid {}, epoch {})", id.vm, id.uid, id.epoch);
}

std::string text_of(const hypervisor::Launch& launch) {
    std::string text =
        fmt::format("{}{}, generation {}/{}\n", text_of(launch.id), launch.fenced ? ", fenced" : "",
                    launch.generation, launch.restart_generation);
    const auto out = std::back_inserter(text);
    if (!launch.kernel.empty()) fmt::format_to(out, "kernel {}\n", launch.kernel);
    if (!launch.initrd.empty()) fmt::format_to(out, "initrd {}\n", launch.initrd);
    if (!launch.command_line.empty())
        fmt::format_to(out, "command line {}\n", line_without_secrets(launch.command_line));
    for (const hypervisor::DiskFile& disk : launch.disks)
        fmt::format_to(out, "disk {} {} {} MiB format {} on \"{}\" format {}{}{}{}\n", disk.name,
                       disk.path, disk.size_mib, static_cast<int>(disk.format), disk.backing_path,
                       static_cast<int>(disk.backing_format), disk.read_only ? ", read only" : "",
                       disk.shared ? ", shared" : "",
                       disk.volume_epoch == 0 ? "" : fmt::format(", epoch {}", disk.volume_epoch));
    fmt::format_to(out, "spec {}\n", without_secrets(model::to_json(launch.spec)));
    return text;
}

std::string probe_text(const model::HealthCheck& check, const std::string& address) {
    return fmt::format("{} {} {}", check.kind == model::HealthKind::kHttp ? "http" : "tcp", address,
                       check.path);
}

}  // namespace blixard::recorder
