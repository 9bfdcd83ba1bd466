// The ports of the control loops, with a recorder in between. Each passes everything on.
//
// Threads: the executor's, as the control loops use them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/random.h"
#include "base/time.h"
#include "hypervisor/hypervisor.h"
#include "recorder/recorder.h"
#include "store/store.h"

namespace blixard::recorder {

class RecordedExecutor final : public Executor {
 public:
    RecordedExecutor(Recorder& recorder, Executor& real) : recorder_(recorder), real_(real) {}
    void post(std::function<void()> task) override;
    // The id is the recorder's number of the timer.
    TimerId after(Millis delay, std::function<void()> task) override;
    void cancel(TimerId timer) override;

 private:
    Recorder& recorder_;
    Executor& real_;
};

class RecordedClock final : public Clock {
 public:
    RecordedClock(Recorder& recorder, const Clock& real) : recorder_(recorder), real_(real) {}
    MonoTime mono() const override { return recorder_.saw_mono(real_.mono()); }
    WallTime wall() const override { return recorder_.saw_wall(real_.wall()); }

 private:
    Recorder& recorder_;
    const Clock& real_;
};

class RecordedRandom final : public Random {
 public:
    RecordedRandom(Recorder& recorder, Random& real) : recorder_(recorder), real_(real) {}
    std::uint64_t next() override;

 private:
    Recorder& recorder_;
    Random& real_;
};

class RecordedStore final : public store::Store {
 public:
    RecordedStore(Recorder& recorder, store::Store& real);
    ~RecordedStore() override;
    void commit(store::Transaction transaction, Callback<store::Committed> done) override;
    void read(store::Range range, Callback<store::RangeResult> done) override;
    void current_revision(Callback<store::Revision> done) override;
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override;
    void unwatch(store::WatchId watch) override;
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override;
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override;
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override;
    void compact(store::Revision revision, Callback<store::Revision> done) override;

 private:
    class Watch;
    Recorder& recorder_;
    store::Store& real_;
    std::map<store::WatchId, std::unique_ptr<Watch>> watches_;
};

class RecordedHypervisor final : public hypervisor::Hypervisor {
 public:
    RecordedHypervisor(Recorder& recorder, hypervisor::Hypervisor& real)
        : recorder_(recorder), real_(real) {}
    std::vector<hypervisor::Instance> instances() const override;
    void recover(Callback<std::vector<hypervisor::Instance>> done) override;
    void start(hypervisor::Launch launch, Callback<hypervisor::Instance> done) override;
    void stop(const hypervisor::InstanceId& id, Millis grace,
              Callback<hypervisor::StopHow> done) override;
    void kill(const hypervisor::InstanceId& id, Callback<hypervisor::StopHow> done) override;
    void pause(const hypervisor::InstanceId& id, Callback<bool> done) override;
    void resume(const hypervisor::InstanceId& id, Callback<bool> done) override;
    void forget(const hypervisor::InstanceId& id) override;
    void purge(const std::string& vm, const std::string& uid, Callback<bool> done) override;
    std::vector<hypervisor::InstanceId> leftovers() const override;
    void delete_disk(const std::string& path, Callback<bool> done) override;
    bool console_has(const std::string& vm, std::string_view text) override;
    void set_listener(std::function<void(const hypervisor::Event&)> listener) override;
    void feed(MonoTime deadline) override;
    // No control loop asks these: consoles and figures are for people, and are not recorded.
    void usage(const hypervisor::InstanceId& id, Callback<hypervisor::Usage> done) override {
        real_.usage(id, std::move(done));
    }
    Result<std::string> console_log(const std::string& vm, std::size_t max_bytes) override {
        return real_.console_log(vm, max_bytes);
    }
    Result<hypervisor::ConsoleId> console_open(const std::string& vm,
                                               hypervisor::ConsoleReader& reader) override {
        return real_.console_open(vm, reader);
    }
    Status console_write(const std::string& vm, std::string_view bytes) override {
        return real_.console_write(vm, bytes);
    }
    void console_close(hypervisor::ConsoleId console) override { real_.console_close(console); }

 private:
    Recorder& recorder_;
    hypervisor::Hypervisor& real_;
};

class RecordedBlobs final : public agent::Blobs {
 public:
    RecordedBlobs(Recorder& recorder, agent::Blobs& real) : recorder_(recorder), real_(real) {}
    void ensure(const std::string& sha256, Callback<std::string> done) override;

 private:
    Recorder& recorder_;
    agent::Blobs& real_;
};

class RecordedProbe final : public agent::HealthProbe {
 public:
    RecordedProbe(Recorder& recorder, agent::HealthProbe& real)
        : recorder_(recorder), real_(real) {}
    void probe(const model::HealthCheck& check, const std::string& address,
               Callback<bool> healthy) override;

 private:
    Recorder& recorder_;
    agent::HealthProbe& real_;
};

// How calls are written down: what a record has, and what a replay compares with it.
std::string text_of(const store::Range& range);
std::string text_of(const hypervisor::InstanceId& id);
std::string text_of(const hypervisor::Launch& launch);
std::string probe_text(const model::HealthCheck& check, const std::string& address);

}  // namespace blixard::recorder
