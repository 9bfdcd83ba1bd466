#include "bench/api/load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace blixard::bench {
namespace {

struct Lane {
    HttpClient client;
    AnswerReader reader;
    double sent_us = 0;
};

class Run {
 public:
    explicit Run(const Load& load) : load_(load), buffer_(256 * 1024, '\0') {
        latencies_.reserve(load.requests);
    }
    ~Run() {
        if (epoll_ >= 0) ::close(epoll_);
    }

    Result<Figures> go() {
        RETURN_IF_ERROR(connect());
        const double begin = now_us();
        for (Lane& lane : lanes_) RETURN_IF_ERROR(send_next(lane));
        while (latencies_.size() < sent_) RETURN_IF_ERROR(turn());
        const double end = now_us();
        Figures figures;
        figures.requests = latencies_.size();
        figures.per_second = static_cast<double>(latencies_.size()) * 1e6 / (end - begin);
        figures.p50_us = percentile(latencies_, 0.5);
        figures.p99_us = percentile(latencies_, 0.99);
        figures.body_bytes = body_bytes_;
        return figures;
    }

 private:
    Status connect() {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        for (int i = 0; i < load_.connections; ++i) {
            ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(load_.endpoint));
            lanes_.push_back(Lane{std::move(client), {}, 0});
        }
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            epoll_event interest{};
            interest.events = EPOLLIN;
            interest.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, lanes_[i].client.fd(), &interest);
        }
        return {};
    }

    Status send_next(Lane& lane) {
        if (sent_ == load_.requests) return {};
        const std::string text = load_.request(sent_++);
        lane.reader.reset();
        lane.sent_us = now_us();
        return lane.client.send(text);
    }

    // One lane: wait in recv() itself, as a plain client would.
    Status turn() {
        if (lanes_.size() == 1) return receive(lanes_[0], 0);
        epoll_event events[64];
        const int count = ::epoll_wait(epoll_, events, 64, -1);
        for (int i = 0; i < count; ++i)
            RETURN_IF_ERROR(receive(lanes_[events[i].data.u64], MSG_DONTWAIT));
        return {};
    }

    Status receive(Lane& lane, int flags) {
        const ssize_t count = ::recv(lane.client.fd(), buffer_.data(), buffer_.size(), flags);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
        if (count <= 0) return fail(ErrorCode::kUnavailable, "the daemon closed a connection");
        lane.reader.feed({buffer_.data(), static_cast<std::size_t>(count)});
        if (!lane.reader.done()) return {};
        latencies_.push_back(now_us() - lane.sent_us);
        const Answer& answer = lane.reader.answer();
        if (answer.status != load_.status)
            return fail(ErrorCode::kInternal,
                        fmt::format("the daemon answered {} where {} was expected: {}",
                                    answer.status, load_.status, answer.body.substr(0, 500)));
        body_bytes_ = answer.body_bytes;
        return send_next(lane);
    }

    const Load& load_;
    std::string buffer_;
    std::vector<Lane> lanes_;
    int epoll_ = -1;
    std::uint64_t sent_ = 0, body_bytes_ = 0;
    std::vector<double> latencies_;
};

}  // namespace

double now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto at = values.begin() +
                    static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

Result<Figures> run(const Load& load) { return Run(load).go(); }

}  // namespace blixard::bench
