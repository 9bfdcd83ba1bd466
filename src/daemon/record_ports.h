// The API's two ends of the flight recorder: what people ask is noted in it, and it can be fetched.
//
// Threads: the API's executor.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/exchange.h"
#include "api/ports.h"
#include "os/worker_pool.h"
#include "recorder/recorder.h"

namespace blixard::daemon {

// A request in a line, without secrets: "POST /v1/vms?project=lab by root: {...}".
std::string request_note(const api::Request& request);

// Notes every request that may change something, then hands it on.
class NotedService final : public api::Service {
 public:
    // `loop` is the recorder's executor.
    NotedService(api::Service& service, recorder::Recorder& recorder, Executor& loop)
        : service_(service), recorder_(recorder), loop_(loop) {}
    void handle(api::Request request, std::shared_ptr<api::Responder> responder) override;
    std::shared_ptr<api::BodyReader> open_upload(
        const api::Request& head, std::shared_ptr<api::Responder> responder) override;

 private:
    void note(const api::Request& request);

    api::Service& service_;
    recorder::Recorder& recorder_;
    Executor& loop_;
};

class RecordExport final : public api::DebugPort {
 public:
    RecordExport(std::string directory, os::WorkerPool& workers, Executor& executor)
        : directory_(std::move(directory)), workers_(workers), executor_(executor) {}
    void record(Callback<std::string> done) override;

 private:
    const std::string directory_;
    os::WorkerPool& workers_;
    Executor& executor_;
};

}  // namespace blixard::daemon
