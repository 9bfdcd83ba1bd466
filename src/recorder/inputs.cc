#include "recorder/inputs.h"

#include <fmt/format.h>

#include "recorder/fields.h"

namespace blixard::recorder {
namespace {

// A port that calls back while it is called: 2 in the product.
constexpr std::size_t kNestingMost = 64;

template <class T>
Answer read_answer(Reader& reader) {
    Result<T> result = T{};
    one(reader, result);
    return result;
}

Answer read_answer(CallKind kind, Reader& reader) {
    switch (kind) {
        case CallKind::kCommit: return read_answer<store::Committed>(reader);
        case CallKind::kRead: return read_answer<store::RangeResult>(reader);
        case CallKind::kCurrentRevision:
        case CallKind::kCompact: return read_answer<store::Revision>(reader);
        case CallKind::kGrantLease:
        case CallKind::kRenewLease: return read_answer<store::LeaseGrant>(reader);
        case CallKind::kRecover: return read_answer<std::vector<hypervisor::Instance>>(reader);
        case CallKind::kStart: return read_answer<hypervisor::Instance>(reader);
        case CallKind::kStop:
        case CallKind::kKill: return read_answer<hypervisor::StopHow>(reader);
        case CallKind::kEnsureBlob: return read_answer<std::string>(reader);
        default: return read_answer<bool>(reader);
    }
}

template <class T>
void append(Reader& reader, std::vector<T>& list) {
    T value{};
    one(reader, value);
    list.push_back(std::move(value));
}

std::string good_text(const store::Committed& done) {
    return done.succeeded
               ? fmt::format("done at revision {}", done.revision)
               : fmt::format("refused, a compare failed; the store is at {}", done.revision);
}
std::string good_text(const store::RangeResult& page) {
    return fmt::format("{} items at revision {}", page.items.size(), page.revision);
}
std::string good_text(store::Revision revision) { return fmt::format("revision {}", revision); }
std::string good_text(const store::LeaseGrant& grant) {
    return fmt::format("lease {} of {} ms", grant.id, grant.ttl.count);
}
std::string good_text(bool done) { return done ? "done" : "no"; }
std::string good_text(const std::vector<hypervisor::Instance>& all) {
    return fmt::format("{} machines", all.size());
}
std::string good_text(const hypervisor::Instance& instance) {
    return fmt::format("{}, pid {}", hypervisor::instance_state_name(instance.state), instance.pid);
}
std::string good_text(hypervisor::StopHow how) {
    return std::string(hypervisor::stop_how_name(how));
}
std::string good_text(const std::string& path) { return path; }

std::string answer_text(const Answer& answer) {
    return std::visit(
        [](const auto& result) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(result)>, std::monostate>)
                return "nothing";
            else
                return result ? good_text(*result)
                              : std::string(error_code_name(result.error().code)) + ", " +
                                    describe(result.error());
        },
        answer);
}

std::string batch_text(const store::WatchBatch& batch) {
    std::string text = fmt::format("the store is at revision {}", batch.revision);
    for (std::size_t i = 0; i < batch.changes.size() && i < 5; ++i)
        text += fmt::format("{} {}{}", i == 0 ? ":" : ",", batch.changes[i].item.key,
                            batch.changes[i].deleted ? " is gone" : "");
    if (batch.changes.size() > 5) text += fmt::format(" and {} more", batch.changes.size() - 5);
    return text;
}

}  // namespace

void InputReader::read_head(Tag tag, Input& input) {
    one(reader_, input.since);
    switch (tag) {
        case Tag::kTask:
        case Tag::kTimer:
        case Tag::kAllowed: one(reader_, input.number); return;
        case Tag::kAnswer:
            pack(reader_, input.kind, input.number);
            input.answer = read_answer(input.kind, reader_);
            return;
        case Tag::kBatch: one(reader_, input.batch); return;
        case Tag::kWatchEnd: one(reader_, input.error); return;
        case Tag::kEvent: one(reader_, input.event); return;
        case Tag::kCheckpoint: one(reader_, input.wall); return;
        default: return;
    }
}

// False: no step of an input.
bool InputReader::read_step(Tag tag, Input& input) {
    switch (tag) {
        case Tag::kCall: {
            Call& call = input.calls.emplace_back();
            pack(reader_, call.kind, call.text);
            call.number = ++counts_.calls;
            return true;
        }
        case Tag::kSays: {
            bool says = false;
            one(reader_, says);
            input.says.push_back(says);
            return true;
        }
        case Tag::kPost: input.posts.push_back(++counts_.posts); return true;
        case Tag::kAfter: {
            Timer& timer = input.timers.emplace_back();
            timer.number = ++counts_.timers;
            one(reader_, timer.delay);
            return true;
        }
        case Tag::kMono: {
            Reading& reading = input.readings.emplace_back();
            pack(reader_, reading.at, reading.step);
            return true;
        }
        case Tag::kWall: append(reader_, input.walls); return true;
        case Tag::kRandom: append(reader_, input.randoms); return true;
        case Tag::kInstances: {
            Instances& seen = input.instances.emplace_back();
            pack(reader_, seen.all, seen.changed, seen.gone);
            return true;
        }
        case Tag::kLeftovers: append(reader_, input.leftovers); return true;
        case Tag::kConsoleHas: {
            bool has = false;
            one(reader_, has);
            input.console_has.push_back(has);
            return true;
        }
        default: return false;
    }
}

Result<Input> InputReader::next() {
    const auto strange = [](std::uint64_t tag) {
        return fail(
            ErrorCode::kInvalid,
            fmt::format("the record has an entry {} where it cannot stand", tag),
            "it may be of another version of Blixard: replay it with the build that made it");
    };
    Input input;
    input.tag = static_cast<Tag>(reader_.number());
    if (input.tag == Tag::kRequest) {
        pack(reader_, input.wall, input.note);
        return input;
    }
    if (!is_input(input.tag)) return strange(static_cast<std::uint64_t>(input.tag));
    read_head(input.tag, input);
    // Inputs within inputs are kept on a stack of our own: a record is not trusted with ours.
    std::vector<Input> open;
    open.push_back(std::move(input));
    while (true) {
        if (reader_.at_end() && reader_.ok()) {
            open.back().whole = false;
        } else {
            const Tag tag = static_cast<Tag>(reader_.number());
            if (is_input(tag) && open.size() < kNestingMost) {
                open.emplace_back().tag = tag;
                read_head(tag, open.back());
                if (!reader_.ok()) return strange(static_cast<std::uint64_t>(tag));
                continue;
            }
            if (tag != Tag::kEnd) {
                if (!read_step(tag, open.back()) || !reader_.ok())
                    return strange(static_cast<std::uint64_t>(tag));
                continue;
            }
        }
        Input done = std::move(open.back());
        open.pop_back();
        if (open.empty()) return done;
        if (!done.whole) open.back().whole = false;
        open.back().nested.emplace_back(open.back().calls.size(), std::move(done));
    }
}

std::string describe(const Input& input) {
    switch (input.tag) {
        case Tag::kTask: return "a task that was posted runs";
        case Tag::kTimer: return fmt::format("timer {} has run out", input.number);
        case Tag::kAnswer:
            return fmt::format("the answer to \"{}\" (call {}): {}", call_name(input.kind),
                               input.number, answer_text(input.answer));
        case Tag::kBatch: return batch_text(input.batch);
        case Tag::kWatchEnd: return "the watch has ended: " + describe(input.error);
        case Tag::kEvent:
            return fmt::format(
                "the hypervisor says that {} has {}", input.event.id.vm,
                input.event.kind == hypervisor::Event::Kind::kExited ? "ended" : "changed");
        case Tag::kAllowed:
            return fmt::format("whether the start of call {} may still go on", input.number);
        case Tag::kBegin: return "the daemon starts";
        case Tag::kController: return "the controller starts";
        case Tag::kCheckpoint: return "a checkpoint";
        case Tag::kRequest: return input.note;
        default: return "?";
    }
}

}  // namespace blixard::recorder
