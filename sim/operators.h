// The people of the simulation: orders through the API of any host, what they were told, and one
// client that follows all events and resumes after each interruption.
//
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/exchange.h"
#include "model/requests.h"
#include "sim/api_history.h"
#include "sim/checker.h"
#include "sim/host.h"
#include "sim/schedule.h"

namespace blixard::sim {

using Hosts = std::vector<std::unique_ptr<SimHost>>;

// Some VMs have it in what they give to cloud-init; no record of inputs may.
inline constexpr std::string_view kSecret = "hunter2-of-the-simulation";

// Sends a request to `host`'s API. `answered` gets the answer, once, or never. False: nobody
// listens.
bool ask(SimHost& host, api::Request request, std::function<void(const api::Response&)> answered);
api::Request make_request(std::string method, std::string path, std::string project = {},
                          std::string body = {});

class Operators {
 public:
    Operators(const Plan& plan, Timeline& timeline, Trace& trace, Checker& checker, Hosts& hosts)
        : plan_(plan), timeline_(timeline), trace_(trace), checker_(checker), hosts_(hosts) {}

    // Carries out one order. What has an idempotency key (creating, and what a POST asks for) is
    // asked again until it is answered, at another host; the rest is asked once.
    void carry_out(const Act& act);
    void create(int subject, int host, int tries);
    // Until the answer is good: for after the healing.
    void uncordon(int host, int tries);
    // A VM that none of the orders knows, once. `spec`: members, as JSON, beside the image.
    void create_named(int host, const std::string& name, const std::string& spec);
    void delete_named(int host, const std::string& name);
    void vouch(int host);  // "I have cut its power", once
    // The same, and then that it is no host of this cluster any more. `gone`: it is not.
    void remove_node(int host, int tries, std::function<void()> gone);

    // One that runs, on another host than this one; -1: none.
    int a_running_vm(const std::string& elsewhere) const;
    const view::VmEntry* vm_of(int subject) const {
        return checker_.state().vms.find(vm_key(subject));
    }
    // At `host`: `told` once the VM is `until`, as the answer must show.
    void wait_for(int host, int subject, const std::string& until, std::function<void()> told);
    // Asks for `action` ("restart"), and waits for that in the same request.
    void order_and_wait(int host, int subject, const std::string& action, const std::string& until,
                        std::function<void()> told);
    // "I have cut its power", of a host that lives: it must be refused.
    void vouch_for_the_living(SimHost& host);
    // What a daemon has been asked and never answered, though it has lived on; empty: nothing.
    std::string unanswered() const;

    const ApiHistory& history() const { return history_; }
    std::string vm_name(int subject) const;
    std::string project_of(int subject) const;

 private:
    struct Order {
        VmModel::Input input;  // to the model
        int subject = 0, host = 0;
        std::string method, path, body, key, if_match;
        bool force = false;
        int tries = 1;
        std::string label;  // to be kept, where the answer is good
        std::uint64_t dice = 0;
        MonoTime sent{};
        bool alone = false;        // nothing else is asked about this VM
        bool was_stopped = false;  // ... and it was to be, when it was asked
        bool had_ended = false;    // it ran no more, when it was asked
    };
    using Answered = std::function<void(const api::Response&)>;
    model::VmCreate new_vm(int subject) const;
    void make_crowd(int subject, model::VmSpec& spec) const;
    std::string new_disks(const Act& act) const;
    std::string vm_key(int subject) const;
    void order_vm(const Act& act, VmModel::Kind kind, std::string method, std::string action,
                  std::string body = {});
    Answered when_it_is(int host, const std::string& until, std::function<void()> told);
    void go_on_elsewhere(const Order& order);
    void start_elsewhere(const Order& order);
    bool goes_on(const Order& order) const;
    void lag(int host);
    bool touch(int subject);
    void look_at_start(const Order& order, const api::Response& response);
    void look_at_force(const Order& order, const api::Response& response);
    void mark(const Act& act);
    void mark_if_unchanged(const Act& act);
    void delete_if_unchanged(const Act& act);
    void if_unchanged(const Act& act, std::function<void(Order)> then);
    void read(const Act& act);
    void send(Order order, std::size_t call, int tried);
    void settle(const Order& order, std::size_t call, int tried, const api::Response& response);
    void order_other(const Act& act, std::string method, std::string path, std::string body,
                     std::string project = {});
    static std::string volumes_project(const Act& act);
    void use_while_it_goes(const Act& act);
    struct OtherCall {
        std::string name;
        VmModel::Input input;
        std::size_t at = 0;  // in the history of `name`
    };
    std::optional<OtherCall> call_of_other(ActKind kind, const std::string& path,
                                           const std::string& body);
    void settle_other(const std::optional<OtherCall>& call, const api::Response& response);
    void cancel_an_operation(const Act& act);
    bool ask_as_client(int host, api::Request request, Answered answered,
                       std::function<void()> lost);
    void look_at_answer(const api::Request& request, int host, const api::Response& response);
    void use_key_again(int host, int subject, const std::string& key);
    void read_own_write(int host, const std::string& path, int subject, std::int64_t revision);
    bool ask(SimHost& host, api::Request request, Answered answered);
    SimHost& host_at(int host) { return *hosts_[static_cast<std::size_t>(host % plan_.hosts)]; }

    const Plan& plan_;
    Timeline& timeline_;
    Trace& trace_;
    Checker& checker_;
    Hosts& hosts_;
    ApiHistory history_;
    std::map<int, int> created_;  // how often, by subject: for idempotency keys
    struct Creating {
        std::size_t call = 0;
        int under_way = 0;  // requests: asked again, it has the same key
    };
    std::map<int, Creating> creating_;  // by subject
    int marks_ = 0, keys_ = 0;
    std::map<int, MonoTime> touched_;  // by subject: when something was asked of it last
    struct Open {
        const SimHost* host = nullptr;
        std::uint64_t run = 0;  // of its daemon
        MonoTime since{};
        std::string what;
    };
    std::map<std::uint64_t, Open> open_;  // requests without an answer
    std::uint64_t asked_ = 0;
};

class EventFollower {
 public:
    // `wanted`: its filter. `seed`: when it loses its way in the middle of a revision.
    EventFollower(Timeline& timeline, Trace& trace, Checker& checker, Hosts& hosts,
                  const store::MemoryBackend& backend, Checker::EventLedger wanted,
                  std::uint64_t seed)
        : timeline_(timeline),
          trace_(trace),
          checker_(checker),
          hosts_(hosts),
          backend_(backend),
          random_(seed),
          ledger_(std::move(wanted)) {}
    ~EventFollower() { ++run_; }

    void start();
    void host_gone(std::size_t host);
    bool caught_up() const { return ledger_.owed.empty(); }
    std::uint64_t resumed() const { return resumed_; }

 private:
    class Client;
    void connect();
    void again();
    void take(std::uint64_t run, std::string_view bytes);
    void take_block(std::string_view block);

    Timeline& timeline_;
    Trace& trace_;
    Checker& checker_;
    Hosts& hosts_;
    const store::MemoryBackend& backend_;
    SeededRandom random_;
    Checker::EventLedger ledger_;
    std::shared_ptr<Client> client_;
    std::string last_id_, rest_;
    std::size_t host_ = 0;
    std::uint64_t run_ = 0, resumed_ = 0;
    bool waiting_ = false;
};

}  // namespace blixard::sim
