// What clients asked of the API and what they were told, per VM, for the check of linearizability
// (history/). Threads: one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/exchange.h"
#include "sim/history/vm_model.h"

namespace blixard::sim {

class ApiHistory {
 public:
    // A call begins; the number names it.
    std::size_t called(const std::string& vm, VmModel::Input input);
    // Its answer, once. What the answer shows was read after it was done, and counts as a read of
    // its own.
    void answered(const std::string& vm, std::size_t call, VmModel::Output output);

    // What is wrong with it; empty: nothing.
    std::string check() const;
    std::size_t size() const;

 private:
    std::int64_t now_ = 0;  // the order of all calls and answers
    std::map<std::string, VmHistory> vms_;
};

// What a response says to the model; absent: nobody knows whether it happened.
std::optional<VmModel::Output> output_of(const api::Response& response, VmModel::Kind kind);

// The body of a response, and one text or number in it; empty or 0 where there is none.
std::string body_of(const api::Response& response);
std::string text_at(const api::Response& response, std::string_view path);
std::int64_t number_at(const api::Response& response, std::string_view path);
std::int64_t revision_of(const api::Response& response);  // of the state that was answered from
bool is_good(const api::Response& response);

}  // namespace blixard::sim
