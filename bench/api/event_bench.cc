#include "bench/api/event_bench.h"

#include <fmt/format.h>
#include <poll.h>

#include "bench/api/load.h"

namespace blixard::bench {
namespace {

constexpr int kPatienceMs = 5000;

// Some listeners to one VM's events, and one who changes it.
class Listening {
 public:
    static Result<Listening> open(DaemonUnderTest& daemon, const Endpoint& way, int listeners,
                                  const std::string& vm) {
        ASSIGN_OR_RETURN(HttpClient writer, HttpClient::connect(daemon.unix_way()));
        Listening all(std::move(writer), vm);
        for (int i = 0; i < listeners; ++i) {
            ASSIGN_OR_RETURN(HttpClient stream, HttpClient::connect(way));
            RETURN_IF_ERROR(stream.send(request_text("GET", "/v1/events?name=" + vm)));
            RETURN_IF_ERROR(stream.receive());
            all.streams_.push_back(std::move(stream));
        }
        return all;
    }

    // From the write's being sent until the last listener has its event, in microseconds: the
    // commit is in between. And from the answer on, which says that it is durable; less than 0
    // where the event was first.
    struct Delay {
        double since_sent_us, since_answer_us;
    };
    Result<Delay> change(const std::string& mark) {
        prepare();
        std::vector<std::string> heard(streams_.size());
        std::size_t missing = streams_.size();
        AnswerReader reader;
        double answered = 0, seen = 0;
        const double begin = now_us();
        RETURN_IF_ERROR(writer_.send(
            request_text("PATCH", "/v1/vms/" + vm_,
                         fmt::format(R"({{"spec":{{"labels":{{"owner":"{}"}}}}}})", mark))));
        while (answered == 0 || missing > 0) {
            if (::poll(ready_.data(), ready_.size(), kPatienceMs) <= 0)
                return fail(ErrorCode::kTimeout, "no event came in five seconds");
            for (std::size_t i = 0; i < streams_.size(); ++i) {
                if (!ready_[i].revents) continue;
                ASSIGN_OR_RETURN(const std::string bytes, streams_[i].receive());
                const bool before = heard[i].find(mark) != std::string::npos;
                heard[i] += bytes;
                if (!before && heard[i].find(mark) != std::string::npos && --missing == 0)
                    seen = now_us();
            }
            if (!ready_.back().revents) continue;
            ASSIGN_OR_RETURN(const std::string bytes, writer_.receive());
            reader.feed(bytes);
            if (reader.done()) answered = now_us();
        }
        if (reader.answer().status != 200)
            return fail(ErrorCode::kInternal, "PATCH: " + reader.answer().body);
        return Delay{seen - begin, seen - answered};
    }

 private:
    Listening(HttpClient writer, std::string vm) : writer_(std::move(writer)), vm_(std::move(vm)) {}

    void prepare() {
        ready_.clear();
        for (const HttpClient& stream : streams_) ready_.push_back({stream.fd(), POLLIN, 0});
        ready_.push_back({writer_.fd(), POLLIN, 0});
    }

    HttpClient writer_;
    std::string vm_;
    std::vector<HttpClient> streams_;
    std::vector<pollfd> ready_;
};

}  // namespace

Status measure_events(Report& report, DaemonUnderTest& daemon, const std::string& vm, int writes) {
    int number = 0;
    for (const Endpoint& way : {daemon.unix_way(), daemon.tcp_way()})
        for (const int listeners : {1, 64}) {
            ASSIGN_OR_RETURN(Listening all, Listening::open(daemon, way, listeners, vm));
            std::vector<double> sent, answered;
            const double begin = now_us();
            for (int i = 0; i < writes; ++i) {
                ASSIGN_OR_RETURN(const auto delay, all.change(fmt::format("mark-{}-", ++number)));
                sent.push_back(delay.since_sent_us);
                answered.push_back(delay.since_answer_us);
            }
            Figures figures;
            figures.requests = static_cast<std::uint64_t>(writes);
            figures.per_second = 1e6 * writes * listeners / (now_us() - begin);
            figures.p50_us = percentile(sent, 0.5);
            figures.p99_us = percentile(sent, 0.99);
            const char* const name = way.is_unix() ? "unix" : "tcp";
            report.add("event: write sent to the last listener", name, listeners, figures);
            report.add(fmt::format("event: after the write's answer, {} {}, p50", listeners, name),
                       percentile(answered, 0.5), "us");
        }
    return {};
}

}  // namespace blixard::bench
