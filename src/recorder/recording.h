// A recorder with the ports of one daemon run around it: what the daemon and the simulation give
// their control loops.
//
// Threads: the executor's.
#pragma once

#include <memory>

#include "agent/agent.h"
#include "controller/controller.h"
#include "recorder/ports.h"
#include "recorder/recorder.h"
#include "view/view.h"

namespace blixard::recorder {

class Recording {
 public:
    // What is given outlives it.
    Recording(Sink& sink, std::size_t segment_bytes, store::Store& real_store,
              Executor& real_executor, const Clock& real_clock, Random& real_random)
        : recorder(real_clock, sink, segment_bytes),
          store(recorder, real_store),
          executor(recorder, real_executor),
          clock(recorder, real_clock),
          random(recorder, real_random) {}

    // The view has its state; the loops are about to be made, with `agent.run_uid` set.
    void begin(std::string build, const agent::AgentSettings& agent,
               const controller::ControllerSettings& controller, const view::View& view) {
        recorder.begin({.build = std::move(build),
                        .agent_settings = agent,
                        .controller_settings = controller,
                        .state = view.current()});
    }
    void start(agent::Agent& agent, std::function<void(Status)> ready) {
        recorder.input(Tag::kBegin, [&] { agent.start(std::move(ready)); });
    }
    void start(controller::Controller& controller, agent::Agent& agent, const view::View& view) {
        recorder.input(Tag::kController, [&] { controller.start(); });
        recorder.set_source(
            [&]() -> std::optional<Recorder::Whole> {
                std::optional<controller::ControllerState> control = controller.state();
                if (!control) return std::nullopt;
                std::optional<agent::AgentState> host = agent.state();
                if (!host) return std::nullopt;
                return Recorder::Whole{std::move(*host), std::move(*control), view.current()};
            },
            [&] { controller.begin_anew(); });
    }

    Recorder recorder;
    RecordedStore store;
    RecordedExecutor executor;
    RecordedClock clock;
    RecordedRandom random;
    std::unique_ptr<RecordedHypervisor> hypervisor;  // made when the real one is there
    std::unique_ptr<RecordedBlobs> blobs;
    std::unique_ptr<RecordedProbe> probe;
};

}  // namespace blixard::recorder
