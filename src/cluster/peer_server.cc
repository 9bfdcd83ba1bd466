#include "cluster/peer_server.h"

#include <fcntl.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "cluster/peer_forward.h"
#include "os/files.h"

namespace blixard::cluster {
namespace {

constexpr unsigned kIdentityRefreshSeconds = 10;
constexpr std::size_t kKnownCertificatesMax = 4096;

// What callers' certificates say: parsed once each.
class KnownCertificates {
 public:
    Result<CertificateInfo> inspect(const std::string& pem) {
        {
            const std::lock_guard lock(mutex_);
            if (const auto found = known_.find(pem); found != known_.end()) return found->second;
        }
        ASSIGN_OR_RETURN(auto info, inspect_certificate(pem));
        const std::lock_guard lock(mutex_);
        if (known_.size() >= kKnownCertificatesMax) known_.clear();
        known_.emplace(pem, info);
        return info;
    }

 private:
    std::mutex mutex_;
    std::unordered_map<std::string, CertificateInfo> known_;  // guarded by mutex_
};

// A call that is answered later and once; also when gRPC cancels it first. Keeps itself alive until
// OnDone.
template <class Reply>
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
    static std::shared_ptr<UnaryCall> make(Reply* reply) {
        auto call = std::make_shared<UnaryCall>(reply);
        call->self_ = call;
        return call;
    }
    explicit UnaryCall(Reply* reply) : reply_(reply) {}

    template <class Fill>
    void succeed(Fill fill) {
        if (finished_.exchange(true)) return;
        fill(*reply_);
        Finish(grpc::Status::OK);
    }
    void refuse(const grpc::Status& status) {
        if (!finished_.exchange(true)) Finish(status);
    }
    void OnCancel() override { refuse(grpc::Status::CANCELLED); }
    void OnDone() override { self_.reset(); }

 private:
    Reply* const reply_;
    std::atomic<bool> finished_ = false;
    std::shared_ptr<UnaryCall> self_;
};

// Refuses before anything happens.
template <class Reactor, class... Args>
class RefusedCall final : public Reactor {
 public:
    explicit RefusedCall(const grpc::Status& status) { this->Finish(status); }
    void OnDone() override { delete this; }
};

// Sends a range of a file. The file is local and read ahead by the kernel; each piece is a quarter
// of a MiB.
class BlobCall final : public grpc::ServerWriteReactor<wire::BlobChunk> {
 public:
    BlobCall(const std::string& path, std::uint64_t offset, std::uint64_t length)
        : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), at_(offset) {
        struct stat found = {};
        if (!file_ || ::fstat(file_.get(), &found) != 0) {
            Finish(to_status({ErrorCode::kNotFound, "cannot open " + path, {}, {}}));
            return;
        }
        total_ = static_cast<std::uint64_t>(found.st_size);
        end_ = length == 0 ? total_ : std::min(total_, offset + length);
        next();
    }
    void OnWriteDone(bool ok) override {
        if (ok)
            next();
        else
            Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

 private:
    void next() {
        if (at_ >= end_) {
            Finish(grpc::Status::OK);
            return;
        }
        std::string bytes(std::min<std::uint64_t>(kPeerDataBytes, end_ - at_), '\0');
        const ssize_t got =
            ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at_));
        if (got <= 0) {
            Finish(to_status({ErrorCode::kInternal, "the blob's file ended early", {}, {}}));
            return;
        }
        bytes.resize(static_cast<std::size_t>(got));
        chunk_.set_offset(at_);
        chunk_.set_total_bytes(total_);
        chunk_.set_data(std::move(bytes));
        at_ += static_cast<std::uint64_t>(got);
        StartWrite(&chunk_);
    }

    os::UniqueFd file_;
    std::uint64_t at_ = 0, end_ = 0, total_ = 0;
    wire::BlobChunk chunk_;
};

class PeerServiceImpl final : public wire::Peer::CallbackService {
 public:
    PeerServiceImpl(PeerHandlers handlers, Executor& executor)
        : handlers_(std::move(handlers)), executor_(executor) {}

    // Anybody may ask; but who shows a certificate is told whether it counts.
    grpc::ServerUnaryReactor* Hello(grpc::CallbackServerContext* context, const wire::HelloRequest*,
                                    wire::HelloReply* reply) override {
        const auto call = UnaryCall<wire::HelloReply>::make(reply);
        if (const auto caller = authenticate(*context);
            !caller && caller.error().code != ErrorCode::kUnauthenticated) {
            call->refuse(to_status(caller.error()));
            return call.get();
        }
        const auto said = handlers_.hello();
        call->succeed([&](wire::HelloReply& out) {
            out.set_cluster_id(said.cluster_id);
            out.set_name(said.name);
            out.set_version(said.version);
            out.set_wall_ms(said.wall.ms);
        });
        return call.get();
    }

    grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext*, const wire::JoinRequest* request,
                                   wire::JoinReply* reply) override {
        const auto call = UnaryCall<wire::JoinReply>::make(reply);
        executor_.post([this, call, asked = from_wire(*request)]() mutable {
            handlers_.join(std::move(asked), [call](Result<JoinReply> result) {
                if (!result) return call->refuse(to_status(result.error()));
                call->succeed([&](wire::JoinReply& out) {
                    out.set_certificate_pem(result->certificate_pem);
                    out.set_authority_pem(result->authority_pem);
                    for (const auto& endpoint : result->etcd_endpoints)
                        out.add_etcd_endpoints(endpoint);
                    out.set_lease_ttl_ms(result->lease_ttl.count);
                });
            });
        });
        return call.get();
    }

    grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                    const wire::RenewRequest* request,
                                    wire::RenewReply* reply) override {
        const auto call = UnaryCall<wire::RenewReply>::make(reply);
        const auto caller = authenticate(*context);
        if (!caller) {
            call->refuse(to_status(caller.error()));
            return call.get();
        }
        executor_.post([this, call, name = caller->name, pem = request->request_pem()] {
            handlers_.renew(name, pem, [call](Result<std::string> result) {
                if (!result) return call->refuse(to_status(result.error()));
                call->succeed([&](wire::RenewReply& out) { out.set_certificate_pem(*result); });
            });
        });
        return call.get();
    }

    grpc::ServerUnaryReactor* GetVoterKey(grpc::CallbackServerContext* context,
                                          const wire::VoterKeyRequest*,
                                          wire::VoterKeyReply* reply) override {
        const auto call = UnaryCall<wire::VoterKeyReply>::make(reply);
        const auto caller = authenticate(*context);
        if (!caller) {
            call->refuse(to_status(caller.error()));
            return call.get();
        }
        executor_.post([this, call, name = caller->name] {
            handlers_.voter_key(name, [call](Result<std::string> result) {
                if (!result) return call->refuse(to_status(result.error()));
                call->succeed([&](wire::VoterKeyReply& out) { out.set_voter_key(*result); });
            });
        });
        return call.get();
    }

    grpc::ServerBidiReactor<wire::ForwardFrame, wire::ForwardFrame>* Forward(
        grpc::CallbackServerContext* context) override {
        const auto caller = authenticate(*context);
        if (!caller)
            return new RefusedCall<grpc::ServerBidiReactor<wire::ForwardFrame, wire::ForwardFrame>>(
                to_status(caller.error()));
        Executor* executor = handlers_.service_executor;
        return ForwardCall::start(executor != nullptr ? *executor : executor_, handlers_.service,
                                  caller->name);
    }

    grpc::ServerWriteReactor<wire::BlobChunk>* FetchBlob(
        grpc::CallbackServerContext* context, const wire::FetchBlobRequest* request) override {
        using Refused = RefusedCall<grpc::ServerWriteReactor<wire::BlobChunk>>;
        if (const auto caller = authenticate(*context); !caller)
            return new Refused(to_status(caller.error()));
        const auto path = handlers_.blob_file(request->sha256());
        if (!path) return new Refused(to_status(path.error()));
        return new BlobCall(*path, request->offset(), request->length());
    }

 private:
    // Who calls, if the certificate counts now.
    Result<CertificateInfo> authenticate(const grpc::CallbackServerContext& context) {
        const auto pem =
            context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
        if (pem.empty())
            return fail(ErrorCode::kUnauthenticated,
                        "this call needs a certificate of this cluster",
                        "join the cluster first: blixard cluster join TOKEN");
        ASSIGN_OR_RETURN(auto info,
                         known_.inspect(std::string(pem.front().data(), pem.front().size())));
        RETURN_IF_ERROR(handlers_.authorize(info));
        return info;
    }

    const PeerHandlers handlers_;
    Executor& executor_;
    KnownCertificates known_;
};

std::shared_ptr<grpc::ServerCredentials> make_credentials(const PeerFiles& files) {
    namespace tls = grpc::experimental;
    auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
        files.key_file, files.certificate_file, files.authority_file, kIdentityRefreshSeconds);
    tls::TlsServerCredentialsOptions options(provider);
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
    return tls::TlsServerCredentials(options);
}

Status check_files(const PeerFiles& files) {
    ASSIGN_OR_RETURN(const std::string certificate, os::read_file(files.certificate_file));
    ASSIGN_OR_RETURN(const std::string authority, os::read_file(files.authority_file));
    RETURN_IF_ERROR(os::read_file(files.key_file));
    RETURN_IF_ERROR(inspect_certificate(authority));
    RETURN_IF_ERROR(inspect_certificate(certificate));
    return {};
}

}  // namespace

struct PeerServer::Impl {
    Impl(PeerHandlers handlers, Executor& executor) : service(std::move(handlers), executor) {}

    PeerServiceImpl service;
    std::unique_ptr<grpc::Server> server;
    int port = 0;
};

PeerServer::PeerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PeerServer::~PeerServer() { impl_->server->Shutdown(std::chrono::system_clock::now()); }

int PeerServer::port() const { return impl_->port; }

Result<std::unique_ptr<PeerServer>> PeerServer::start(const std::string& address,
                                                      const PeerFiles& files, PeerHandlers handlers,
                                                      Executor& executor) {
    RETURN_IF_ERROR(check_files(files));
    auto impl = std::make_unique<Impl>(std::move(handlers), executor);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, make_credentials(files), &impl->port);
    builder.RegisterService(&impl->service);
    builder.SetMaxReceiveMessageSize(kPeerMessageBytesMax);
    builder.SetMaxSendMessageSize(kPeerMessageBytesMax);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    impl->server = builder.BuildAndStart();
    if (!impl->server || impl->port == 0)
        return fail(ErrorCode::kUnavailable, "cannot listen on " + address + " for other hosts",
                    "is another daemon using it? choose another with --advertise ADDR:PORT");
    return std::unique_ptr<PeerServer>(new PeerServer(std::move(impl)));
}

}  // namespace blixard::cluster
