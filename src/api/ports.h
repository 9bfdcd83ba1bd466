// What the API needs from the rest of the daemon, and what it is made with. A port that is absent
// (null) makes its operations answer 501, with the reason.
//
// Threads: ports are called on the API's executor, and call back on it, once, unless said
// otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/exchange.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "hypervisor/hypervisor.h"
#include "images/stray_disks.h"
#include "model/plan_requests.h"
#include "model/records.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::api {

// A file that is kept by its SHA-256 on this host.
struct Blob {
    std::string sha256;
    std::uint64_t size_bytes = 0;
    std::string path;
};

// A file on its way in. Dropped without finish(): nothing of it is kept.
class BlobUpload {
 public:
    virtual ~BlobUpload() = default;
    // `bytes` are only read before `next` is called; one write at a time.
    virtual void write(std::string_view bytes, std::function<void(Status)> next) = 0;
    // kInvalid: not the SHA-256 that was expected. Kept for good once this succeeded.
    virtual void finish(Callback<Blob> done) = 0;
};

// The content-addressed files of this host.
class BlobPort {
 public:
    virtual ~BlobPort() = default;
    // `expected_sha256` may be empty. kExhausted: no room for `size_bytes`.
    virtual Result<std::shared_ptr<BlobUpload>> open_upload(std::optional<std::uint64_t> size_bytes,
                                                            std::string expected_sha256) = 0;
    // kNotFound: not on this host.
    virtual void find(std::string sha256, Callback<Blob> done) = 0;
    // What the file is, looked at as `role`: its format and virtual size. kInvalid: not such a
    // file, or a disk that refers to files outside itself.
    virtual void inspect(std::string sha256, model::FileRole role,
                         Callback<model::ImageFile> done) = 0;
};

// The other end of an open serial console. Dropping it closes it.
class Console {
 public:
    virtual ~Console() = default;
    virtual void write(std::string_view bytes) = 0;
};

class ConsoleListener {
 public:
    virtual ~ConsoleListener() = default;
    virtual void on_output(std::string_view bytes) = 0;
    virtual void on_end(std::string_view reason) = 0;  // nothing more will come
};

// What only the host of a VM can answer. `vm`: "<project>/<name>".
class NodePort {
 public:
    virtual ~NodePort() = default;
    virtual void console_log(std::string vm, std::size_t max_bytes, Callback<std::string> done) = 0;
    virtual void open_console(std::string vm, std::weak_ptr<ConsoleListener> listener,
                              Callback<std::shared_ptr<Console>> done) = 0;
    virtual void usage(hypervisor::InstanceId id, Callback<hypervisor::Usage> done) = 0;
};

// Hands a request to the daemon of another host, which answers it.
class Forwarder {
 public:
    virtual ~Forwarder() = default;
    // False: there is no way to that host; nothing was answered.
    virtual bool forward(const std::string& node, const Request& request,
                         std::shared_ptr<Responder> responder) = 0;
};

class MetricsPort {
 public:
    virtual ~MetricsPort() = default;
    virtual void append(std::string& out) = 0;  // Prometheus text
};

// Questions to the scheduler.
class PlanPort {
 public:
    virtual ~PlanPort() = default;
    virtual void ask(model::Question question, Callback<std::string> json) = 0;
};

// Everything under /v1/cluster. Answers by itself.
class ClusterPort {
 public:
    virtual ~ClusterPort() = default;
    virtual void handle(Request request, std::shared_ptr<Responder> responder) = 0;
    // Why this host can answer nothing else for its cluster: it was removed from it (kDenied), or
    // has not reached its store since it started (kUnavailable).
    virtual Status standing() const { return {}; }
};

// What the daemon knows about itself, for those who look into a fault.
class DebugPort {
 public:
    virtual ~DebugPort() = default;
    // The record of this host's inputs, as a file. kNotFound: there is none.
    virtual void record(Callback<std::string> done) = 0;
};

// The disk files of this host that no record of a volume names.
struct StrayReport {
    struct Unseen {
        std::string pool;
        std::string reason;
    };
    std::map<std::string, images::StrayDisks> by_pool;  // "local": the host's own directory
    std::vector<Unseen> unseen;                         // pools that could not be looked into
};

class DisksPort {
 public:
    virtual ~DisksPort() = default;
    // Fails where the store does not say which there ought to be.
    virtual void strays(Callback<StrayReport> done) = 0;
};

// All outlive the API.
struct Deps {
    store::Store& store;
    view::View& view;         // ready before Api::start
    Executor& executor;       // the API's own: the HTTP server's loop
    Executor& view_executor;  // the view's and the store's; may be the same one
    const Clock& clock;
    Random& random;  // used on the API's executor
    Log& log;
    BlobPort* blobs = nullptr;
    NodePort* node = nullptr;
    Forwarder* forwarder = nullptr;
    MetricsPort* metrics = nullptr;
    PlanPort* plan = nullptr;
    ClusterPort* cluster = nullptr;
    DebugPort* debug = nullptr;
    DisksPort* disks = nullptr;
};

struct Settings {
    std::string node;  // this host's name
    std::string version;
    std::string commit;
    std::string store;  // "sqlite" | "etcd" | "memory"
    std::string cluster_id;
    // What each of its streams' clients can catch up with without asking the store.
    std::size_t events_kept = 4096;
};

}  // namespace blixard::api
