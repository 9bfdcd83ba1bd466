// An API with its store, its view and its clients in one thread and on virtual time. For tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/api.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "store/memory/memory_store.h"
#include "store/test_loop.h"

namespace blixard::api {

// A client's end of one request.
class TestClient final : public Responder {
 public:
    class Events final : public Stream {
     public:
        bool write(std::string_view bytes) override {
            if (text.size() + bytes.size() > bound) return false;
            text += bytes;
            return true;
        }
        void close() override { closed = true; }
        void on_closed(std::function<void()> on) override { left = std::move(on); }

        std::string text;
        std::size_t bound = 64 * 1024 * 1024;
        bool closed = false;
        std::function<void()> left;
    };

    void send(Response response) override { answer = std::move(response); }
    std::shared_ptr<Stream> start_stream(Response head) override {
        answer = std::move(head);
        return stream = std::make_shared<Events>();
    }
    std::shared_ptr<Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return left; }

    std::optional<Response> answer;
    std::shared_ptr<Events> stream;
    bool left = false;
};

// Knows files by their sha256, without any bytes.
class TestBlobs final : public BlobPort {
 public:
    Result<std::shared_ptr<BlobUpload>> open_upload(std::optional<std::uint64_t>,
                                                    std::string) override {
        return fail(ErrorCode::kUnsupported, "no uploads here");
    }
    void find(std::string sha256, Callback<Blob> done) override {
        found.push_back(sha256);
        done(Blob{std::move(sha256), 1000, "/blob"});
    }
    void inspect(std::string sha256, model::FileRole role,
                 Callback<model::ImageFile> done) override {
        if (!files.contains(sha256))
            return done(fail(ErrorCode::kNotFound, "file " + sha256 + " is not here"));
        model::ImageFile file = files[sha256];
        file.role = role;
        done(std::move(file));
    }

    std::map<std::string, model::ImageFile> files;
    std::vector<std::string> found;  // what was asked for, in order
};

class TestDisks final : public DisksPort {
 public:
    void strays(Callback<StrayReport> done) override { done(found); }

    StrayReport found;
};

// A cluster that says nothing but how this host stands with it.
class TestCluster final : public ClusterPort {
 public:
    void handle(Request, std::shared_ptr<Responder> responder) override { responder->send({}); }
    Status standing() const override { return verdict; }

    Status verdict;
};

struct Answer {
    int status = 0;
    std::string body;
    std::map<std::string, std::string> headers;

    // The member at a dotted path, as JSON text; empty where there is none.
    std::string at(std::string_view path) const {
        const auto value = model::select_member(body, path);
        return value ? *value : std::string{};
    }
};

class TestApi {
 public:
    // `plan`: what answers questions to the scheduler; may be null, as may `cluster`.
    explicit TestApi(PlanPort* plan = nullptr, ClusterPort* cluster = nullptr)
        : store(loop, loop), view(store, loop, loop, log), random(7) {
        start(plan, cluster);
    }
    ~TestApi() { settle(); }  // what is on its way to the store arrives

    // The query is written as in a URL, without escapes: "/v1/vms?project=p".
    static Request request(std::string method, std::string target, std::string body = {}) {
        Request request;
        request.method = std::move(method);
        const std::size_t mark = target.find('?');
        request.path = target.substr(0, mark);
        std::string_view rest = mark == std::string::npos
                                    ? std::string_view{}
                                    : std::string_view(target).substr(mark + 1);
        while (!rest.empty()) {
            const std::string_view pair = rest.substr(0, rest.find('&'));
            const std::size_t equals = std::min(pair.find('='), pair.size());
            request.query.emplace_back(pair.substr(0, equals),
                                       equals < pair.size() ? pair.substr(equals + 1) : "");
            rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        }
        request.body = std::move(body);
        request.principal = {"root", true};
        return request;
    }

    std::shared_ptr<TestClient> send(Request request) {
        auto client = std::make_shared<TestClient>();
        api->handle(std::move(request), client);
        return client;
    }
    std::shared_ptr<TestClient> send(std::string method, std::string target,
                                     std::string body = {}) {
        return send(request(std::move(method), std::move(target), std::move(body)));
    }

    Answer wait_for(const std::shared_ptr<TestClient>& client) {
        if (!loop.run_until([&] { return client->answer.has_value(); }, seconds(120)))
            return {.status = -1, .body = "no answer"};
        return read(*client->answer);
    }
    static Answer read(const Response& response) {
        Answer answer{
            response.status, response.shared_body ? *response.shared_body : response.body, {}};
        for (const auto& [name, value] : response.headers) answer.headers[name] = value;
        return answer;
    }
    Answer ask(Request request) { return wait_for(send(std::move(request))); }
    Answer ask(std::string method, std::string target, std::string body = {}) {
        return ask(request(std::move(method), std::move(target), std::move(body)));
    }

    // What agents and controllers write.
    void put(std::string key, std::string value) {
        bool done = false;
        store.commit({.puts = {{.key = std::move(key), .value = std::move(value)}}},
                     [&](const Result<store::Committed>& result) {
                         done = true;
                         view.when_at(result->revision, [] {});
                     });
        loop.run_until([&] { return done; });
        settle();
    }
    void erase(std::string key) {
        bool done = false;
        store.commit({.deletes = {std::move(key)}},
                     [&](const Result<store::Committed>&) { done = true; });
        loop.run_until([&] { return done; });
        settle();
    }
    void settle() { loop.run_for(Millis{5}); }

    void add_image(const std::string& name, std::int64_t disk_mib = 0) {
        model::Image image;
        image.uid = "image-" + name;
        if (disk_mib > 0)
            image.files.push_back({.role = model::FileRole::kDisk,
                                   .sha256 = std::string(64, 'a'),
                                   .format = model::DiskFormat::kQcow2,
                                   .virtual_size_mib = disk_mib});
        else
            image.files.push_back(
                {.role = model::FileRole::kKernel, .sha256 = std::string(64, 'b')});
        put(model::image_key(name), model::to_json(image));
    }

    const model::VmRecord& record(const std::string& vm) {
        return view.current()->vms.find("default/" + vm)->record->value;
    }
    // The controller places, the agent reports.
    void place(const std::string& vm, const std::string& node) {
        put(model::vm_key("default", vm, "placement"),
            model::to_json(model::Placement{.uid = record(vm).uid, .node = node, .epoch = 1}));
    }
    void report(const std::string& vm, const std::string& node, model::Phase phase,
                std::string message = {}) {
        model::VmStatus status{.uid = record(vm).uid, .phase = phase};
        status.message = std::move(message);
        status.node = node;
        status.epoch = 1;
        status.generation = record(vm).generation;
        status.restart_generation = record(vm).restart_generation;
        put(model::vm_key("default", vm, "status"), model::to_json(status));
    }
    void run(const std::string& vm, const std::string& node = "n1") {
        place(vm, node);
        report(vm, node, model::Phase::kRunning);
    }

    store::TestLoop loop{store::TestTime::kVirtual};
    NullLog log;
    store::MemoryStore store;
    view::View view;
    SeededRandom random;
    TestBlobs blobs;
    TestDisks disks;
    std::unique_ptr<Api> api;

 private:
    void start(PlanPort* plan, ClusterPort* cluster) {
        bool ready = false;
        view.start([&](Status) {
            Deps deps{store, view, loop, loop, loop, random, log};
            deps.blobs = &blobs;
            deps.plan = plan;
            deps.cluster = cluster;
            deps.disks = &disks;
            api = std::make_unique<Api>(deps, Settings{.node = "n1", .version = "1.0"});
            api->start([&] { ready = true; });
        });
        loop.run_until([&] { return ready; });
    }
};

}  // namespace blixard::api
