#include "api/local_node.h"

#include <atomic>

#include "api/deliver.h"

namespace blixard::api {
namespace {

// On its way from one executor to the other; more means that the receiver does not keep up.
constexpr std::size_t kInFlightMax = 1024 * 1024;

// The hypervisor's end of an open console. Its methods run on the hypervisor's executor.
class ConsoleEnd final : public hypervisor::ConsoleReader,
                         public std::enable_shared_from_this<ConsoleEnd> {
 public:
    ConsoleEnd(hypervisor::Hypervisor& hypervisor, Executor& here, std::string vm,
               std::weak_ptr<ConsoleListener> listener)
        : hypervisor_(hypervisor),
          here_(here),
          vm_(std::move(vm)),
          listener_(std::move(listener)) {}

    Status open() {
        ASSIGN_OR_RETURN(console_, hypervisor_.console_open(vm_, *this));
        self_ = shared_from_this();
        return {};
    }
    void close() {
        if (self_) hypervisor_.console_close(console_);
        self_ = nullptr;
    }
    void write(std::string_view bytes) {
        if (self_) (void)hypervisor_.console_write(vm_, bytes);
    }

    void on_output(std::string_view bytes) override {
        if (in_flight_ + bytes.size() > kInFlightMax) return give_up();
        in_flight_ += bytes.size();
        here_.post([self = shared_from_this(), text = std::string(bytes)] {
            self->in_flight_ -= text.size();
            if (const auto listener = self->listener_.lock()) listener->on_output(text);
        });
    }
    void on_end(std::string_view reason) override {
        tell_end(std::string(reason));
        self_ = nullptr;
    }

 private:
    void give_up() {
        tell_end("this reader of the console is too slow");
        close();
    }
    void tell_end(std::string reason) {
        here_.post([listener = listener_, reason = std::move(reason)] {
            if (const auto there = listener.lock()) there->on_end(reason);
        });
    }

    hypervisor::Hypervisor& hypervisor_;
    Executor& here_;
    const std::string vm_;
    const std::weak_ptr<ConsoleListener> listener_;
    hypervisor::ConsoleId console_ = 0;
    std::shared_ptr<ConsoleEnd> self_;  // the hypervisor refers to it while it is open
    std::atomic<std::size_t> in_flight_ = 0;
};

// The API's end.
class LocalConsole final : public Console {
 public:
    LocalConsole(Executor& there, std::shared_ptr<ConsoleEnd> end)
        : there_(there), end_(std::move(end)) {}
    ~LocalConsole() override {
        there_.post([end = end_] { end->close(); });
    }

    void write(std::string_view bytes) override {
        if (*in_flight_ + bytes.size() > kInFlightMax)
            return;  // typed faster than any line can take
        *in_flight_ += bytes.size();
        there_.post([end = end_, in_flight = in_flight_, text = std::string(bytes)] {
            *in_flight -= text.size();
            end->write(text);
        });
    }

 private:
    Executor& there_;
    std::shared_ptr<ConsoleEnd> end_;
    std::shared_ptr<std::atomic<std::size_t>> in_flight_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace

void LocalNode::console_log(std::string vm, std::size_t max_bytes, Callback<std::string> done) {
    there_.post([&hypervisor = hypervisor_, vm = std::move(vm), max_bytes,
                 back = deliver_on<std::string>(here_, std::move(done))] {
        back(hypervisor.console_log(vm, max_bytes));
    });
}

void LocalNode::open_console(std::string vm, std::weak_ptr<ConsoleListener> listener,
                             Callback<std::shared_ptr<Console>> done) {
    auto end = std::make_shared<ConsoleEnd>(hypervisor_, here_, std::move(vm), std::move(listener));
    auto opened = [&there = there_, end, done = std::move(done)](Result<bool> open) {
        if (!open) return done(fail(open.error()));
        done(std::make_shared<LocalConsole>(there, end));
    };
    there_.post([end, back = deliver_on<bool>(here_, std::move(opened))] {
        const Status open = end->open();
        back(open ? Result<bool>(true) : Result<bool>(fail(open.error())));
    });
}

void LocalNode::usage(hypervisor::InstanceId id, Callback<hypervisor::Usage> done) {
    there_.post([&hypervisor = hypervisor_, id = std::move(id),
                 back = deliver_on<hypervisor::Usage>(here_, std::move(done))] {
        hypervisor.usage(id, back);
    });
}

}  // namespace blixard::api
