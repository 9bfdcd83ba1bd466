// The hypervisor port on a FakeHost. Destroy it and make another on the same host, and the daemon
// has been restarted: the machines never noticed, a start that had made no process yet never
// happened.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hypervisor/fake/fake_host.h"

namespace blixard::hypervisor {

class FakeHypervisor final : public Hypervisor {
 public:
    // One driver at a time per host; the host must outlive it.
    explicit FakeHypervisor(FakeHost& host);
    ~FakeHypervisor() override;

    std::vector<Instance> instances() const override;
    void recover(Callback<std::vector<Instance>> done) override;
    void start(Launch launch, Callback<Instance> done) override;
    void stop(const InstanceId& id, Millis grace, Callback<StopHow> done) override;
    void kill(const InstanceId& id, Callback<StopHow> done) override;
    void pause(const InstanceId& id, Callback<bool> done) override;
    void resume(const InstanceId& id, Callback<bool> done) override;
    void forget(const InstanceId& id) override;
    void purge(const std::string& vm, const std::string& uid, Callback<bool> done) override;
    std::vector<InstanceId> leftovers() const override;
    void delete_disk(const std::string& path, Callback<bool> done) override;
    void usage(const InstanceId& id, Callback<Usage> done) override;
    Result<std::string> console_log(const std::string& vm, std::size_t max_bytes) override;
    Result<ConsoleId> console_open(const std::string& vm, ConsoleReader& reader) override;
    Status console_write(const std::string& vm, std::string_view bytes) override;
    void console_close(ConsoleId console) override;
    bool console_has(const std::string& vm, std::string_view text) override;
    void set_listener(std::function<void(const Event&)> listener) override;
    void feed(MonoTime deadline) override { host_.feed(deadline); }

 private:
    using Machine = FakeHost::Machine;

    // Calls `done` later, unless this driver has gone by then.
    template <class T>
    void answer(Callback<T> done, Result<T> result);
    void after(Millis delay, std::function<void()> task);

    Result<Machine*> alive(const InstanceId& id);
    Status may_start(const Launch& launch) const;
    void make_disks(const Launch& launch);
    void began(const Launch& launch, Callback<Instance> done);
    void end_by(const InstanceId& id, StopHow how, Exit exit, Callback<StopHow> done);
    void set_paused(const InstanceId& id, bool paused, Callback<bool> done);

    FakeHost& host_;
    std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
    bool recovered_ = false;
    std::map<std::string, Instance> preparing_;  // starts that have no process yet
    struct Reader {
        std::string vm;
        ConsoleReader* reader;
    };
    std::map<ConsoleId, Reader> readers_;
    ConsoleId last_console_ = 0;
};

}  // namespace blixard::hypervisor
