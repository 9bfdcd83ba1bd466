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
#include "sim/checker.h"
#include "sim/host.h"
#include "sim/schedule.h"

namespace blixard::sim {

using Hosts = std::vector<std::unique_ptr<SimHost>>;

// Sends a request to `host`'s API. `answered` gets the answer, once, or never. False: nobody listens.
bool ask(SimHost& host, api::Request request, std::function<void(const api::Response&)> answered);
api::Request make_request(std::string method, std::string path, std::string project = {}, std::string body = {});

class Operators {
   public:
    Operators(const Plan& plan, Timeline& timeline, Trace& trace, Checker& checker, Hosts& hosts)
        : plan_(plan), timeline_(timeline), trace_(trace), checker_(checker), hosts_(hosts) {}

    // Carries out one order; asks once, but for creating, which is asked again until it is answered.
    void carry_out(const Act& act);
    void create(int subject, int host, int tries);
    // Until the answer is good: for after the healing.
    void uncordon(int host, int tries);

    std::string vm_name(int subject) const;
    std::string project_of(int subject) const;

   private:
    std::string new_vm(int subject) const;
    void order(const Act& act, std::string method, std::string path, std::string body, std::function<void(const api::Response&)> answered = {});

    const Plan& plan_;
    Timeline& timeline_;
    Trace& trace_;
    Checker& checker_;
    Hosts& hosts_;
    std::map<int, int> created_;  // how often, by subject: for idempotency keys
    int labels_ = 0;
};

class EventFollower {
   public:
    EventFollower(Timeline& timeline, Trace& trace, Checker& checker, Hosts& hosts, const store::MemoryBackend& backend)
        : timeline_(timeline), trace_(trace), checker_(checker), hosts_(hosts), backend_(backend) {}
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
    Checker::EventLedger ledger_;
    std::shared_ptr<Client> client_;
    std::string last_id_, rest_;
    std::size_t host_ = 0;
    std::uint64_t run_ = 0, resumed_ = 0;
    bool waiting_ = false;
};

}  // namespace blixard::sim
