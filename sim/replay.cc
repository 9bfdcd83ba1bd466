#include "sim/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "agent/agent.h"
#include "controller/controller.h"
#include "recorder/checkpoint.h"
#include "recorder/inputs.h"
#include "recorder/ports.h"
#include "sim/story.h"
#include "view/view.h"

namespace blixard::sim {
namespace {

using recorder::Call;
using recorder::CallKind;
using recorder::Input;
using recorder::Tag;

constexpr std::size_t kLinesBefore = 12;
constexpr std::uint64_t kUnrecorded = std::uint64_t{1} << 63;  // timers that only this build sets
constexpr int kExtraTasksMost = 1000;  // of one input: a build that posts without end

std::string call_line(const Call& call) {
    std::string line(recorder::call_name(call.kind));
    if (!call.text.empty()) line += (call.kind == CallKind::kCommit ? "\n" : " ") + call.text;
    while (line.ends_with('\n')) line.pop_back();
    return line;
}

// The last lines that this build logged.
class LastLines final : public Log {
 public:
    void write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) override {
        std::string line(event);
        for (const LogField& field : fields)
            line.append(" ").append(field.name).append("=").append(field.value);
        lines_.push_back(std::move(line));
        if (lines_.size() > kLinesBefore) lines_.pop_front();
    }
    std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

 private:
    std::deque<std::string> lines_;
};

// One input that is being worked on: what of its record has been used up.
struct Frame {
    const Input* input;
    std::size_t call = 0, post = 0, timer = 0, reading = 0, wall = 0, random = 0, instances = 0,
                leftovers = 0, console = 0, nested = 0;
    std::uint64_t reads = 0;
    std::vector<Call> made;
    std::vector<bool> says;
    bool differs = false;  // one of its calls is not the recorded one
};

// The world as recorded, behind all ports at once.
class Player final : public Executor,
                     public Clock,
                     public Random,
                     public store::Store,
                     public hypervisor::Hypervisor,
                     public agent::Blobs,
                     public agent::HealthProbe,
                     public controller::LeaseSource {
 public:
    explicit Player(const recorder::Checkpoint& from)
        : mono_(from.mono),
          wall_(from.wall),
          instances_(from.instances),
          view_(*this, *this, *this, log_),
          agent_({*this, view_, *this, *this, this, *this, *this, *this, log_}, with_run(from)),
          controller_({*this, view_, *this, *this, *this, log_, *this}, from.controller_settings) {
        view_.resume(*from.state);
        if (!from.agent || !from.controller) return;
        agent::for_each_timer(*from.agent, [this](TimerId timer) {
            if (timer != 0) arming_.push_back(timer);
        });
        arming_.push_back(from.controller->tick);
        arming_.push_back(from.controller->compact);
        agent_.resume(*from.agent);
        controller_.resume(*from.controller);
        arming_.clear();
    }

    // Absent: as recorded.
    std::optional<Divergence> play(const Input& input) {
        ++inputs;
        run_own_timers(mono_ + input.since);
        play_one(input);
        if (input.whole) run_own_tasks();
        return std::move(divergence_);
    }

    MonoTime now() const { return mono_; }
    std::uint64_t inputs = 0, calls = 0, timing = 0;

    // ---- time and chance

    void post(std::function<void()> task) override {
        Frame* frame = top();
        if (frame && frame->post < frame->input->posts.size()) {
            tasks_[frame->input->posts[frame->post++]] = std::move(task);
            return;
        }
        if (frame && !frame->input->whole) return;
        ++timing;
        own_tasks_.push_back(std::move(task));
    }
    TimerId after(Millis delay, std::function<void()> task) override {
        if (!arming_.empty()) {
            const TimerId timer = arming_.front();
            arming_.pop_front();
            timers_[timer] = {{}, std::move(task)};
            return timer;
        }
        Frame* frame = top();
        const bool recorded = frame && frame->timer < frame->input->timers.size();
        const TimerId timer =
            recorded ? frame->input->timers[frame->timer].number : kUnrecorded + ++own_timers_;
        const bool as_recorded = recorded ? frame->input->timers[frame->timer].delay == delay
                                          : frame && !frame->input->whole;
        if (!as_recorded) ++timing;
        if (recorded) ++frame->timer;
        timers_[timer] = {mono_ + delay, std::move(task)};
        return timer;
    }
    void cancel(TimerId timer) override { timers_.erase(timer); }

    MonoTime mono() const override {
        Frame* frame = top();
        if (!frame) return mono_;
        ++frame->reads;
        const auto& readings = frame->input->readings;
        while (frame->reading < readings.size() && readings[frame->reading].at <= frame->reads)
            mono_ = mono_ + readings[frame->reading++].step;
        return mono_;
    }
    WallTime wall() const override {
        Frame* frame = top();
        if (frame && frame->wall < frame->input->walls.size())
            wall_ = wall_ + frame->input->walls[frame->wall++];
        return wall_;
    }
    std::uint64_t next() override {
        Frame* frame = top();
        if (frame && frame->random < frame->input->randoms.size())
            return frame->input->randoms[frame->random++];
        return chance_.next();
    }

    // ---- the store

    void commit(store::Transaction transaction, Callback<store::Committed> done) override {
        ask(CallKind::kCommit, recorder::transaction_text(transaction), std::move(done));
    }
    void read(store::Range range, Callback<store::RangeResult> done) override {
        ask(CallKind::kRead, recorder::text_of(range), std::move(done));
    }
    void current_revision(Callback<store::Revision> done) override {
        ask(CallKind::kCurrentRevision, "", std::move(done));
    }
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override {
        watching_ = &handler;
        ask<bool>(CallKind::kWatch, fmt::format("\"{}\" from {}", prefix, from), nullptr);
        return 1;
    }
    void unwatch(store::WatchId) override {
        watching_ = nullptr;
        ask<bool>(CallKind::kUnwatch, "", nullptr);
    }
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override {
        ask(CallKind::kGrantLease, fmt::format("of {} ms", ttl.count), std::move(done));
    }
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override {
        ask(CallKind::kRenewLease, fmt::format("{}", lease), std::move(done));
    }
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override {
        ask(CallKind::kRevokeLease, fmt::format("{}", lease), std::move(done));
    }
    void compact(store::Revision revision, Callback<store::Revision> done) override {
        ask(CallKind::kCompact, fmt::format("before {}", revision), std::move(done));
    }

    // ---- the hypervisor

    std::vector<hypervisor::Instance> instances() const override {
        Frame* frame = top();
        if (frame && frame->instances < frame->input->instances.size())
            take(frame->input->instances[frame->instances++]);
        return instances_;
    }
    void recover(Callback<std::vector<hypervisor::Instance>> done) override {
        ask(CallKind::kRecover, "", std::move(done));
    }
    void start(hypervisor::Launch launch, Callback<hypervisor::Instance> done) override {
        const std::uint64_t number =
            ask(CallKind::kStart, recorder::text_of(launch), std::move(done));
        allowed_[number] = std::move(launch.still_allowed);
        deliver_nested();
    }
    void stop(const hypervisor::InstanceId& id, Millis grace,
              Callback<hypervisor::StopHow> done) override {
        ask(CallKind::kStop, fmt::format("{}, within {} ms", recorder::text_of(id), grace.count),
            std::move(done));
        deliver_nested();
    }
    void kill(const hypervisor::InstanceId& id, Callback<hypervisor::StopHow> done) override {
        ask(CallKind::kKill, recorder::text_of(id), std::move(done));
        deliver_nested();
    }
    void pause(const hypervisor::InstanceId& id, Callback<bool> done) override {
        ask(CallKind::kPause, recorder::text_of(id), std::move(done));
        deliver_nested();
    }
    void resume(const hypervisor::InstanceId& id, Callback<bool> done) override {
        ask(CallKind::kResume, recorder::text_of(id), std::move(done));
        deliver_nested();
    }
    void forget(const hypervisor::InstanceId& id) override {
        ask<bool>(CallKind::kForget, recorder::text_of(id), nullptr);
        deliver_nested();
    }
    void purge(const std::string& vm, const std::string& uid, Callback<bool> done) override {
        ask(CallKind::kPurge, fmt::format("{} {}", vm, uid), std::move(done));
        deliver_nested();
    }
    std::vector<hypervisor::InstanceId> leftovers() const override {
        Frame* frame = top();
        if (frame && frame->leftovers < frame->input->leftovers.size())
            return frame->input->leftovers[frame->leftovers++];
        return {};
    }
    void delete_disk(const std::string& path, Callback<bool> done) override {
        ask(CallKind::kDeleteDisk, path, std::move(done));
        deliver_nested();
    }
    bool console_has(const std::string&, std::string_view) override {
        Frame* frame = top();
        return frame && frame->console < frame->input->console_has.size() &&
               frame->input->console_has[frame->console++];
    }
    void set_listener(std::function<void(const hypervisor::Event&)> listener) override {
        listener_ = std::move(listener);
    }
    void feed(MonoTime deadline) override {
        ask<bool>(CallKind::kFeed, fmt::format("{}", deadline.ms), nullptr);
        deliver_nested();
    }
    void usage(const hypervisor::InstanceId&, Callback<hypervisor::Usage>) override {}
    Result<std::string> console_log(const std::string&, std::size_t) override {
        return std::string{};
    }
    Result<hypervisor::ConsoleId> console_open(const std::string&,
                                               hypervisor::ConsoleReader&) override {
        return 0;
    }
    Status console_write(const std::string&, std::string_view) override { return {}; }
    void console_close(hypervisor::ConsoleId) override {}

    // ---- files, health, the host's own lease

    void ensure(const std::string& sha256, Callback<std::string> done) override {
        ask(CallKind::kEnsureBlob, sha256, std::move(done));
    }
    void probe(const model::HealthCheck& check, const std::string& address,
               Callback<bool> done) override {
        ask(CallKind::kProbe, recorder::probe_text(check, address), std::move(done));
    }
    store::LeaseId lease() const override { return agent_.lease().id(); }
    store::Revision lease_key_revision() const override { return agent_.lease().key_revision(); }

 private:
    struct Armed {
        MonoTime due{};
        std::function<void()> run;
    };

    static agent::AgentSettings with_run(const recorder::Checkpoint& from) {
        agent::AgentSettings settings = from.agent_settings;
        if (from.agent) settings.run_uid = from.agent->run_uid;
        return settings;
    }

    Frame* top() const { return frames_.empty() ? nullptr : frames_.back(); }

    // Something is asked of a port. The number of the recorded call; 0: there is none.
    template <class T>
    std::uint64_t ask(CallKind kind, std::string text, Callback<T> done) {
        Frame* frame = top();
        if (!frame) return 0;  // while the state is set up
        ++calls;
        const std::vector<Call>& recorded = frame->input->calls;
        const std::size_t which = frame->call++;
        // Where the record ends within this input, nobody knows what came next.
        if (which >= recorded.size() && !frame->input->whole) return 0;
        frame->made.push_back({kind, 0, std::move(text)});
        if (which >= recorded.size() || recorded[which].kind != kind ||
            recorded[which].text != frame->made.back().text) {
            frame->differs = true;
            return 0;
        }
        if (done)
            pending_[recorded[which].number] =
                [done = std::move(done)](const recorder::Answer& answer) {
                    if (const auto* result = std::get_if<Result<T>>(&answer)) done(*result);
                };
        return recorded[which].number;
    }

    void take(const recorder::Instances& seen) const {
        if (seen.all) {
            instances_ = seen.changed;
            return;
        }
        std::map<hypervisor::InstanceId, hypervisor::Instance> by_id;
        for (hypervisor::Instance& instance : instances_) by_id[instance.id] = std::move(instance);
        for (const hypervisor::InstanceId& id : seen.gone) by_id.erase(id);
        for (const hypervisor::Instance& instance : seen.changed) by_id[instance.id] = instance;
        instances_.clear();
        for (auto& [id, instance] : by_id) instances_.push_back(std::move(instance));
    }

    // What the port called back while it was being called.
    void deliver_nested() {
        Frame* frame = top();
        while (frame && !frame->differs && frame->nested < frame->input->nested.size() &&
               frame->input->nested[frame->nested].first == frame->call &&
               frame->input->nested[frame->nested].second.tag != Tag::kController)
            play_one(frame->input->nested[frame->nested++].second);
    }

    void play_one(const Input& input) {
        mono_ = mono_ + input.since;
        Frame frame{.input = &input};
        frames_.push_back(&frame);
        const bool known = deliver(input, frame);
        while (!frame.differs && frame.nested < input.nested.size())
            play_one(input.nested[frame.nested++].second);
        frames_.pop_back();
        if (!known && input.calls.empty()) ++timing;
        compare(input, frame);
        remember(input);
    }

    // False: this build waits for no such thing.
    bool deliver(const Input& input, Frame& frame) {
        switch (input.tag) {
            case Tag::kTask: return run(tasks_, input.number);
            case Tag::kTimer: {
                const auto armed = timers_.extract(input.number);
                if (!armed.empty()) armed.mapped().run();
                return !armed.empty();
            }
            case Tag::kAnswer: {
                const auto pending = pending_.extract(input.number);
                if (!pending.empty()) pending.mapped()(input.answer);
                return !pending.empty();
            }
            case Tag::kBatch:
                if (watching_) watching_->on_batch(input.batch);
                return watching_ != nullptr;
            case Tag::kWatchEnd:
                if (watching_) std::exchange(watching_, nullptr)->on_end(input.error);
                return true;
            case Tag::kEvent:
                if (listener_) listener_(input.event);
                return true;
            case Tag::kAllowed: {
                const auto ask = allowed_.find(input.number);
                const bool known = ask != allowed_.end() && ask->second;
                frame.says.push_back(known ? ask->second() : false);
                return known;
            }
            case Tag::kBegin:
                agent_.start([this](const Status& ready) { recovered(ready); });
                return true;
            case Tag::kController: controller_.start(); return true;
            case Tag::kCheckpoint:
                wall_ = input.wall;
                controller_.begin_anew();
                return true;
            default: return true;
        }
    }

    // The daemon starts its controller now, or a while later in an input of its own.
    void recovered(const Status&) {
        Frame* frame = top();
        if (frame && frame->nested < frame->input->nested.size() &&
            frame->input->nested[frame->nested].second.tag == Tag::kController)
            play_one(frame->input->nested[frame->nested++].second);
    }

    static bool run(std::map<std::uint64_t, std::function<void()>>& tasks, std::uint64_t number) {
        const auto task = tasks.extract(number);
        if (!task.empty()) task.mapped()();
        return !task.empty();
    }

    void compare(const Input& input, const Frame& frame) {
        const bool fewer = frame.made.size() < input.calls.size() && input.whole;
        const bool says_same = frame.says == input.says || (input.says.empty() && !input.whole);
        if (divergence_ || (!frame.differs && !fewer && says_same)) return;
        Divergence found{.wall = wall_, .mono = mono_, .cause = recorder::describe(input)};
        for (const Call& call : input.calls) found.recorded.push_back(call_line(call));
        for (const Call& call : frame.made) found.now.push_back(call_line(call));
        for (const bool says : input.says)
            found.recorded.push_back(says ? "yes, go on" : "no, end it");
        for (const bool says : frame.says) found.now.push_back(says ? "yes, go on" : "no, end it");
        found.before = {before_.begin(), before_.end()};
        found.log = log_.lines();
        divergence_ = std::move(found);
    }

    void remember(const Input& input) {
        Step step{.at = mono_, .cause = recorder::describe(input)};
        for (const Call& call : input.calls) step.calls.push_back(call_line(call));
        before_.push_back(std::move(step));
        if (before_.size() > kLinesBefore) before_.pop_front();
    }

    // What only this build has posted or set comes at its own time.
    void play_own(const std::function<void()>& task) {
        const Input nothing{.tag = Tag::kTask};
        Frame frame{.input = &nothing};
        frames_.push_back(&frame);
        task();
        frames_.pop_back();
        compare(nothing, frame);
    }
    void run_own_tasks() {
        for (int left = kExtraTasksMost; !own_tasks_.empty() && left > 0 && !divergence_; --left) {
            const std::function<void()> task = std::move(own_tasks_.front());
            own_tasks_.pop_front();
            play_own(task);
        }
    }
    void run_own_timers(MonoTime until) {
        for (auto due = timers_.lower_bound(kUnrecorded); due != timers_.end() && !divergence_;) {
            if (due->second.due > until) {
                ++due;
                continue;
            }
            const std::function<void()> task = std::move(due->second.run);
            timers_.erase(due);
            play_own(task);
            run_own_tasks();
            due = timers_.lower_bound(kUnrecorded);
        }
    }

    mutable MonoTime mono_;
    mutable WallTime wall_;
    mutable std::vector<hypervisor::Instance> instances_;
    mutable std::vector<Frame*> frames_;
    LastLines log_;
    SeededRandom chance_{1};
    std::deque<TimerId> arming_;
    std::map<TimerId, Armed> timers_;
    std::uint64_t own_timers_ = 0;
    std::map<std::uint64_t, std::function<void()>> tasks_;
    std::deque<std::function<void()>> own_tasks_;
    std::map<std::uint64_t, std::function<void(const recorder::Answer&)>> pending_;
    std::map<std::uint64_t, std::function<bool()>> allowed_;
    store::WatchHandler* watching_ = nullptr;
    std::function<void(const hypervisor::Event&)> listener_;
    std::optional<Divergence> divergence_;
    std::deque<Step> before_;
    view::View view_;
    agent::Agent agent_;
    controller::Controller controller_;
};

bool follows(const recorder::Segment& before, const recorder::Segment& next) {
    return next.run == before.run && next.number == before.number + 1;
}

}  // namespace

Result<Replay> replay(const recorder::Record& record) {
    Replay result;
    std::unique_ptr<Player> player;
    recorder::Counts counts;
    bool diverged = false;
    MonoTime since{};
    const auto end_stretch = [&] {
        if (!player) return;
        result.inputs += player->inputs;
        result.calls += player->calls;
        result.timing += player->timing;
        result.span_ms += (player->now() - since).count;
        player.reset();
    };
    for (std::size_t i = 0; i < record.segments.size(); ++i) {
        const recorder::Segment& segment = record.segments[i];
        // Without a difference, one stretch goes on over its checkpoints: they are for those who
        // have nothing before.
        const bool goes_on =
            player && !diverged && i > 0 && follows(record.segments[i - 1], segment);
        if (!goes_on) {
            end_stretch();
            if (segment.checkpoint.empty()) {
                ++result.unknown_segments;
                continue;
            }
            LastLines log;
            ASSIGN_OR_RETURN(const recorder::Checkpoint from,
                             recorder::read_checkpoint(segment.checkpoint, log));
            result.build = from.build;
            counts = from.counts;
            since = from.mono;
            player = std::make_unique<Player>(from);
            ++result.stretches;
            diverged = false;
        }
        recorder::InputReader reader(segment.entries, counts);
        for (std::uint64_t number = 1; !reader.at_end() && !diverged; ++number) {
            ASSIGN_OR_RETURN(const Input input, reader.next());
            if (input.tag == Tag::kRequest) {
                ++result.requests;
                continue;
            }
            std::optional<Divergence> divergence = player->play(input);
            if (!divergence) continue;
            divergence->run = segment.run;
            divergence->segment = segment.number;
            divergence->input = number;
            result.divergences.push_back(std::move(*divergence));
            diverged = true;
        }
        counts = reader.counts();
    }
    end_stretch();
    if (result.stretches == 0)
        return fail(ErrorCode::kInvalid, "the record has no checkpoint to begin at",
                    "its beginning was lost and no quiet moment came since: export it again later");
    return result;
}

namespace {

std::string indented(const std::string& text, std::string_view by) {
    std::string out(by);
    for (const char byte : text) {
        out += byte;
        if (byte == '\n') out += by;
    }
    return out + "\n";
}

std::string first_line(const std::string& text) {
    const std::size_t end = text.find('\n');
    return end == std::string::npos ? text : text.substr(0, end) + " ...";
}

std::string both_sides(const Divergence& divergence) {
    std::string text;
    const std::size_t longer = std::max(divergence.recorded.size(), divergence.now.size());
    for (std::size_t i = 0; i < longer; ++i) {
        const std::string* const then =
            i < divergence.recorded.size() ? &divergence.recorded[i] : nullptr;
        const std::string* const now = i < divergence.now.size() ? &divergence.now[i] : nullptr;
        if (then && now && *then == *now) {
            text += indented(*then, "      ");
            continue;
        }
        if (then) text += indented(*then, "    - ");
        if (now) text += indented(*now, "    + ");
    }
    return text.empty() ? "      nothing\n" : text;
}

}  // namespace

std::string replay_text(const Replay& replay) {
    std::string text;
    const auto out = std::back_inserter(text);
    for (const Divergence& divergence : replay.divergences) {
        fmt::format_to(
            out, "this build decides otherwise: run {}, segment {}, input {}, {} (clock {} ms)\n",
            divergence.run.substr(0, 8), divergence.segment, divergence.input,
            to_rfc3339(divergence.wall), divergence.mono.ms);
        text += "  before\n";
        for (const Step& step : divergence.before) {
            text += indented(fmt::format("{} {}", step.at.ms, step.cause), "      ");
            for (const std::string& call : step.calls)
                text += indented(first_line(call), "          ");
        }
        fmt::format_to(out, "  input: {}\n  - recorded, + this build\n", divergence.cause);
        text += both_sides(divergence);
        if (!divergence.log.empty()) text += "  this build's log\n";
        for (const std::string& line : divergence.log) text += indented(line, "      ");
    }
    if (replay.unknown_segments > 0)
        fmt::format_to(
            out, "{} segments could not be replayed: what came before them is not in the record\n",
            replay.unknown_segments);
    if (replay.timing > 0)
        fmt::format_to(out, "{} timers or posted tasks differ, which by itself decides nothing\n",
                       replay.timing);
    fmt::format_to(
        out,
        "build={} stretches={} hours={:.2f} inputs={} calls={} requests={} divergences={} {}\n",
        replay.build.empty() ? "?" : replay.build, replay.stretches,
        static_cast<double>(replay.span_ms) / 3'600'000.0, replay.inputs, replay.calls,
        replay.requests, replay.divergences.size(),
        replay.divergences.empty() ? "SAME" : "DIFFERENT");
    return text;
}

std::string replay_html(const Replay& replay) {
    std::string html = fmt::format(
        "<!doctype html><meta charset=utf-8><title>record of {}</title><style>body{{font:13px "
        "sans-serif}}table{{border-collapse:collapse}}"
        "td,th{{border:1px solid #ddd;padding:2px "
        "6px;vertical-align:top;text-align:left}}th{{position:sticky;top:0;background:#eee}}"
        "pre{{margin:0;white-space:pre-wrap}}.r{{background:#fdd}}.n{{background:#dfd}}</"
        "style><h1>A record of build {}</h1>"
        "<p>{} inputs in {} stretches, {:.2f} hours; {} calls compared; this build decides "
        "otherwise {} times.</p>",
        escaped(replay.build), escaped(replay.build), replay.inputs, replay.stretches,
        static_cast<double>(replay.span_ms) / 3'600'000.0, replay.calls, replay.divergences.size());
    for (const Divergence& divergence : replay.divergences) {
        html += fmt::format(
            "<h2>{}, run {}, segment {}, input {}</h2><table><tr><th>clock, "
            "s<th>input<th>recorded<th>this build",
            to_rfc3339(divergence.wall), escaped(divergence.run.substr(0, 8)), divergence.segment,
            divergence.input);
        const auto row = [&html](MonoTime at, const std::string& cause,
                                 const std::vector<std::string>& recorded,
                                 const std::vector<std::string>& now, const char* marks[2]) {
            html += fmt::format("<tr><td>{}.{:03}<td>{}<td{}><pre>", at.ms / 1000, at.ms % 1000,
                                escaped(cause), marks[0]);
            for (const std::string& call : recorded) html += escaped(call) + "\n";
            html += fmt::format("</pre><td{}><pre>", marks[1]);
            for (const std::string& call : now) html += escaped(call) + "\n";
            html += "</pre>";
        };
        const char* same[2] = {"", ""};
        const char* other[2] = {" class=r", " class=n"};
        for (const Step& step : divergence.before)
            row(step.at, step.cause, step.calls, step.calls, same);
        row(divergence.mono, divergence.cause, divergence.recorded, divergence.now, other);
        html += "</table><h3>This build's log</h3><pre>";
        for (const std::string& line : divergence.log) html += escaped(line) + "\n";
        html += "</pre>";
    }
    return html;
}

}  // namespace blixard::sim
