// The hypervisor port on SimMachines: what a daemon knows of the machines of its host. It dies with
// the daemon; a start that had made no process yet never happened.
//
// Threads: everything on the daemon's lane.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/order_checks.h"
#include "sim/sim_machines.h"

namespace blixard::sim {

class SimHypervisor final : public hypervisor::Hypervisor {
 public:
    SimHypervisor(SimMachines& machines, Lane& lane) : machines_(machines), lane_(lane) {}
    ~SimHypervisor() override;

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
    void usage(const hypervisor::InstanceId& id, Callback<hypervisor::Usage> done) override;
    Result<std::string> console_log(const std::string& vm, std::size_t max_bytes) override;
    Result<hypervisor::ConsoleId> console_open(const std::string& vm,
                                               hypervisor::ConsoleReader& reader) override;
    Status console_write(const std::string& vm, std::string_view bytes) override;
    void console_close(hypervisor::ConsoleId) override {}
    // What a guest that is well has said since it runs.
    bool console_has(const std::string& vm, std::string_view) override {
        Machine* const machine = machines_.find(vm);
        const bool well = machine && machine->alive && machine->ran && machine->sick == 0;
        if (machine && machine->ran) machines_.checked(*machine, well);
        return well;
    }
    void set_listener(std::function<void(const hypervisor::Event&)> listener) override {
        listener_ = std::move(listener);
    }
    void feed(MonoTime deadline) override { machines_.feed(deadline); }

    // Hears of all that is asked about a process that lives.
    std::function<void(const MachineOrder&, const Machine&)> on_order;

 private:
    struct Waiting {
        std::uint64_t birth = 0;
        Callback<hypervisor::Instance> started;  // at most one of the two
        Callback<hypervisor::StopHow> stopped;
        hypervisor::StopHow how = hypervisor::StopHow::kAlreadyGone;
    };

    Machine* alive(const hypervisor::InstanceId& id) const;
    void tell(Asked asked, const Machine& machine, Millis grace = {}) const;
    void begin(const hypervisor::Launch& launch, const Script& script,
               Callback<hypervisor::Instance> done);
    void on_machine(hypervisor::Event::Kind kind, const hypervisor::InstanceId& id);
    void set_paused(const hypervisor::InstanceId& id, bool paused, Callback<bool> done);
    void settle(const std::string& vm);
    template <class T>
    void answer(Callback<T> done, Result<T> result);

    SimMachines& machines_;
    Lane& lane_;
    std::shared_ptr<char> here_ = std::make_shared<char>();
    bool recovered_ = false;
    std::map<std::string, hypervisor::Instance> preparing_;
    std::multimap<std::string, Waiting> waiting_;  // by VM
    std::function<void(const hypervisor::Event&)> listener_;
};

}  // namespace blixard::sim
