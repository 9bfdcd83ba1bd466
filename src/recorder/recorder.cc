#include "recorder/recorder.h"

#include <algorithm>

namespace blixard::recorder {

void Recorder::begin(Checkpoint checkpoint) {
    base_ = std::move(checkpoint);
    mono_ = base_.mono = clock_.mono();
    wall_ = base_.wall = clock_.wall();
    base_.counts = counts_;
    sink_.begin_segment(base_);
    base_.state.reset();
    on_ = true;
}

Recorder::Frame Recorder::open(Tag tag) {
    const MonoTime now = clock_.mono();
    buffer_ += static_cast<char>(tag);
    write(buffer_, now - mono_);
    mono_ = now;
    ++depth_;
    return {std::exchange(reads_, 0)};
}

// The input is on its way before anything comes of it.
void Recorder::opened() {
    if (depth_ == 1) flush();
}

void Recorder::close(Frame before) {
    buffer_ += static_cast<char>(Tag::kEnd);
    reads_ = before.reads;
    if (--depth_ == 0 && segment_size_ + buffer_.size() >= segment_bytes_) look_for_checkpoint();
}

void Recorder::flush() {
    if (buffer_.empty()) return;
    sink_.append(buffer_);
    segment_size_ += buffer_.size();
    buffer_.clear();
}

void Recorder::look_for_checkpoint() {
    if (!source_ || unanswered_ != 0 || unrun_ != 0) return;
    std::optional<Whole> whole = source_();
    if (!whole) return;
    // A timer that nobody knows of is something under way.
    std::size_t known = 0;
    const auto check = [&](TimerId& timer) {
        if (timers_.contains(timer))
            ++known;
        else
            timer = 0;
    };
    agent::for_each_timer(whole->agent, check);
    check(whole->controller.tick);
    check(whole->controller.compact);
    if (known != timers_.size()) return;
    if (whole->agent.lease.tick == 0 || whole->agent.look_at_all == 0 ||
        whole->controller.tick == 0 || whole->controller.compact == 0)
        return;
    flush();
    Checkpoint checkpoint = base_;
    checkpoint.wall = wall_ = clock_.wall();
    checkpoint.mono = mono_;
    checkpoint.counts = counts_;
    checkpoint.instances = instances_;
    checkpoint.agent = std::move(whole->agent);
    checkpoint.controller = std::move(whole->controller);
    checkpoint.state = std::move(whole->state);
    sink_.begin_segment(std::move(checkpoint));
    segment_size_ = 0;
    input(Tag::kCheckpoint, normalise_, wall_);
}

void Recorder::note_request(const std::string& text) {
    if (!on_ || depth_ > 0) return;
    buffer_ += static_cast<char>(Tag::kRequest);
    write(buffer_, clock_.wall(), text);
    flush();
}

MonoTime Recorder::saw_mono(MonoTime now) {
    if (depth_ == 0) return now;
    ++reads_;
    if (now == mono_) return now;
    saw(Tag::kMono, reads_, now - mono_);
    mono_ = now;
    return now;
}

WallTime Recorder::saw_wall(WallTime now) {
    if (depth_ == 0) return now;
    saw(Tag::kWall, now - wall_);
    wall_ = now;
    return now;
}

// Only what has changed since they were last read, where each is there once and in its order; else
// all.
void Recorder::saw_instances(const std::vector<hypervisor::Instance>& now) {
    if (depth_ == 0) return;
    std::vector<hypervisor::Instance> changed;
    std::vector<hypervisor::InstanceId> gone;
    const auto orderly = [](const std::vector<hypervisor::Instance>& list) {
        return std::adjacent_find(list.begin(), list.end(), [](const auto& a, const auto& b) {
                   return !(a.id < b.id);
               }) == list.end();
    };
    const bool all = now != instances_ && (!orderly(now) || !orderly(instances_));
    if (all) {
        changed = now;
    } else if (now != instances_) {
        auto before = instances_.begin();
        for (const hypervisor::Instance& instance : now) {
            while (before != instances_.end() && before->id < instance.id)
                gone.push_back((before++)->id);
            const bool same_id = before != instances_.end() && before->id == instance.id;
            if (!same_id || *before != instance) changed.push_back(instance);
            if (same_id) ++before;
        }
        while (before != instances_.end()) gone.push_back((before++)->id);
    }
    saw(Tag::kInstances, all, changed, gone);
    if (all || !changed.empty() || !gone.empty()) instances_ = now;
}

std::uint64_t Recorder::posted() {
    if (depth_ == 0) return kOutside;
    saw(Tag::kPost);
    ++unrun_;
    return ++counts_.posts;
}

void Recorder::post_runs(std::uint64_t number, const std::function<void()>& task) {
    if (number == kOutside) return task();
    --unrun_;
    input(Tag::kTask, task, number);
}

std::uint64_t Recorder::armed(Millis delay, const std::function<TimerId(std::uint64_t)>& arm) {
    saw(Tag::kAfter, delay);
    const std::uint64_t number = depth_ == 0 ? kOutside + ++outside_ : ++counts_.timers;
    timers_[number] = arm(number);
    return number;
}

void Recorder::timer_runs(std::uint64_t number, const std::function<void()>& task) {
    timers_.erase(number);
    if (number >= kOutside) return task();
    input(Tag::kTimer, task, number);
}

TimerId Recorder::disarmed(std::uint64_t number) {
    const auto found = timers_.find(number);
    if (found == timers_.end()) return 0;
    const TimerId timer = found->second;
    timers_.erase(found);
    return timer;
}

}  // namespace blixard::recorder
