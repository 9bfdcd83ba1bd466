// What only the host of a VM can answer: its console, and what it uses.
#include <fmt/format.h>

#include <algorithm>

#include "api/operations.h"
#include "api/vm_write.h"
#include "model/json_writer.h"

namespace blixard::api {
namespace {

constexpr std::int64_t kLogBytesDefault = 64 * 1024;
constexpr std::int64_t kLogBytesMax = 16 * 1024 * 1024;

Result<Subject> vm_of(const Call& call) {
    Subject subject{Kind::kVm, {}, call.name};
    ASSIGN_OR_RETURN(subject.project, project_of(call.request));
    return subject;
}

// The host that the VM is on, or was on last; empty: it never was on any.
std::string host_of(const view::VmEntry& vm) {
    if (!vm.node().empty()) return std::string(vm.node());
    return vm.status ? vm.status->value.node : std::string{};
}

// The VM, where this host is the one to answer; null where the call is answered or handed on.
std::shared_ptr<const view::VmEntry> here(Core& core, const CallPtr& call) {
    const auto subject = vm_of(*call);
    if (!subject) return call->refuse(subject.error()), nullptr;
    const view::SnapshotPtr state = core.state();
    auto vm = state->vms.find_shared(subject->key());
    if (!vm || !vm->record) return call->refuse(not_there(*state, *subject)), nullptr;
    const std::string host = host_of(*vm);
    if (host.empty()) {
        call->refuse({ErrorCode::kConflict,
                      fmt::format("{} has not been on any host yet", subject->text()),
                      {},
                      fmt::format("see why: blixard why {}", subject->name)});
        return nullptr;
    }
    if (!is_for_here(core, call, host, subject->text() + " is")) return nullptr;
    if (core.deps.node) return vm;
    refuse_unsupported(*call, "consoles and usage of VMs", "");
    return nullptr;
}

void member(model::json::Writer& writer, std::string_view name,
            const std::optional<std::uint64_t>& value) {
    if (value) writer.member(name, static_cast<std::int64_t>(*value));
}

std::string usage_json(const view::VmEntry& vm, const hypervisor::Usage& usage) {
    std::string text;
    model::json::Writer writer(text);
    writer.begin_object().member("project", vm.project()).member("name", vm.name());
    if (usage.cpu_seconds) writer.member("cpu_seconds", *usage.cpu_seconds);
    member(writer, "memory_bytes", usage.memory_bytes);
    member(writer, "disk_read_bytes", usage.disk_read_bytes);
    member(writer, "disk_written_bytes", usage.disk_written_bytes);
    member(writer, "network_received_bytes", usage.network_received_bytes);
    member(writer, "network_sent_bytes", usage.network_sent_bytes);
    writer.end_object();
    return text;
}

// An open console: the client's WebSocket on one side, the guest's serial line on the other. Lives
// as long as the WebSocket.
class ConsoleBridge final : public ConsoleListener {
 public:
    explicit ConsoleBridge(std::shared_ptr<Socket> socket) : socket_(std::move(socket)) {}

    void opened(Result<std::shared_ptr<Console>> console) {
        if (closed_) return;
        if (!console) return on_end(describe(console.error()));
        console_ = std::move(*console);
        if (!early_.empty()) console_->write(std::exchange(early_, {}));
    }
    void from_client(std::string_view bytes) {
        if (console_)
            console_->write(bytes);
        else if (early_.size() + bytes.size() <= kEarlyMax)
            early_ += bytes;
    }
    void client_left() {
        closed_ = true;
        console_ = nullptr;
    }
    void on_output(std::string_view bytes) override {
        if (!closed_ && !socket_->send(bytes)) client_left();
    }
    void on_end(std::string_view reason) override {
        if (closed_) return;
        client_left();
        socket_->close(reason);
    }

 private:
    static constexpr std::size_t kEarlyMax = 4096;  // typed before the console was open

    std::shared_ptr<Socket> socket_;
    std::shared_ptr<Console> console_;
    std::string early_;
    bool closed_ = false;
};

}  // namespace

void get_vm_log(Core& core, const CallPtr& call) {
    const auto bytes = number_of(call->request, "bytes", 1, kLogBytesMax, kLogBytesDefault);
    if (!bytes) return call->refuse(bytes.error());
    const auto vm = here(core, call);
    if (!vm) return;
    core.deps.node->console_log(vm->key, static_cast<std::size_t>(*bytes),
                                [call](Result<std::string> log) {
                                    if (!log) return call->refuse(log.error());
                                    Response response;
                                    response.content_type = "text/plain; charset=utf-8";
                                    response.body = std::move(*log);
                                    call->send(std::move(response));
                                });
}

void get_vm_usage(Core& core, const CallPtr& call) {
    const auto vm = here(core, call);
    if (!vm) return;
    hypervisor::InstanceId id{.vm = vm->key, .uid = vm->record->value.uid.str()};
    if (vm->placement) id.epoch = static_cast<std::uint64_t>(vm->placement->value.epoch);
    core.deps.node->usage(std::move(id), [call, vm](Result<hypervisor::Usage> usage) {
        if (!usage) return call->refuse(usage.error());
        Response response;
        response.body = usage_json(*vm, *usage);
        call->send(std::move(response));
    });
}

void open_vm_console(Core& core, const CallPtr& call) {
    const auto vm = here(core, call);
    if (!vm) return;
    std::shared_ptr<Socket> socket = call->responder->accept_socket();
    if (!socket) {
        call->send(problem({ErrorCode::kInvalid,
                            "the console is a WebSocket, and this request asks for none",
                            {},
                            "open it with: blixard console NAME; for text alone: GET .../log"},
                           426));
        return;
    }
    auto bridge = std::make_shared<ConsoleBridge>(socket);
    socket->on_message([bridge](std::string_view bytes) { bridge->from_client(bytes); });
    socket->on_closed([bridge] { bridge->client_left(); });
    core.deps.node->open_console(
        vm->key, bridge,
        [bridge](Result<std::shared_ptr<Console>> console) { bridge->opened(std::move(console)); });
}

}  // namespace blixard::api
