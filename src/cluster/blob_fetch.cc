#include "cluster/blob_fetch.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <charconv>
#include <fstream>

#include "os/files.h"
#include "os/unique_fd.h"

namespace blixard::cluster {
namespace {

constexpr std::size_t kHashPieceBytes = 1u << 20;

Result<std::string> sha256_of_file(const std::string& path) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return fail(ErrorCode::kInternal, "cannot open " + path);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                       EVP_MD_CTX_free);
    EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
    std::string piece(kHashPieceBytes, '\0');
    while (true) {
        const ssize_t got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0) return fail(ErrorCode::kInternal, "cannot read " + path);
        if (got == 0) break;
        EVP_DigestUpdate(hash.get(), piece.data(), static_cast<std::size_t>(got));
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(hash.get(), digest, &size);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        text += kDigits[digest[i] >> 4];
        text += kDigits[digest[i] & 15];
    }
    return text;
}

Status write_at(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    const os::UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return fail(ErrorCode::kInternal, "cannot open " + path);
    while (!bytes.empty()) {
        const ssize_t put =
            ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0)
            return fail(
                errno == ENOSPC || errno == EDQUOT ? ErrorCode::kExhausted : ErrorCode::kInternal,
                "cannot write " + path + ": " + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    // The list of parts must never name one that a power cut took.
    if (::fdatasync(file.get()) != 0) return fail(ErrorCode::kInternal, "cannot write " + path);
    return {};
}

// "PART_BYTES TOTAL\nPART\nPART\n…"; anything odd: begin anew.
struct Kept {
    std::uint64_t total = 0;
    std::set<std::uint64_t> parts;
};

Kept read_kept(const std::string& path) {
    Kept kept;
    std::ifstream file(path);
    std::uint64_t part_bytes = 0, part = 0;
    if (!(file >> part_bytes >> kept.total) || part_bytes != kBlobPartBytesMax) return {};
    while (file >> part)
        if (part * part_bytes < kept.total) kept.parts.insert(part);
    return kept;
}

std::string kept_text(const BlobPlan& plan) {
    std::string text =
        std::to_string(kBlobPartBytesMax) + " " + std::to_string(plan.total_bytes()) + "\n";
    for (const std::uint64_t part : plan.parts_done()) text += std::to_string(part) + "\n";
    return text;
}

bool is_sha256(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

struct BlobFetcher::Fetch {
    std::string sha256, part_file, have_file;
    BlobPlan plan;
    std::vector<Callback<std::string>> waiting;
    TimerId wake = 0;
    bool writing = false;  // the list of parts
    bool stale = false;    // it has to be written again
    bool ended = false;
    std::size_t pieces_written_now = 0;
};

struct BlobFetcher::State : std::enable_shared_from_this<State> {
    State(Deps lent, std::string where) : deps(std::move(lent)), directory(std::move(where)) {}

    Deps deps;
    const std::string directory;
    std::map<std::string, std::shared_ptr<Fetch>> fetches;
    bool closed = false;

    void drive(const std::shared_ptr<Fetch>& fetch);
    void take(const std::shared_ptr<Fetch>& fetch, const BlobQuestion& question,
              Result<BlobPart> part);
    void keep_list(const std::shared_ptr<Fetch>& fetch);
    void finish(const std::shared_ptr<Fetch>& fetch);
    void end(const std::shared_ptr<Fetch>& fetch, Result<std::string> result);
};

BlobFetcher::BlobFetcher(Deps deps, std::string directory)
    : state_(std::make_shared<State>(std::move(deps), std::move(directory))) {}

BlobFetcher::~BlobFetcher() {
    state_->closed = true;
    const auto fetches = state_->fetches;
    for (const auto& [sha256, fetch] : fetches)
        state_->end(fetch, fail(ErrorCode::kUnavailable, "this daemon is stopping"));
}

std::size_t BlobFetcher::under_way() const { return state_->fetches.size(); }

void BlobFetcher::fetch(const std::string& sha256, std::vector<std::string> hosts,
                        Callback<std::string> done) {
    State& state = *state_;
    if (!is_sha256(sha256)) {
        state.deps.executor.post([done] { done(fail(ErrorCode::kInvalid, "that is no SHA-256")); });
        return;
    }
    if (const auto found = state.fetches.find(sha256); found != state.fetches.end()) {
        found->second->waiting.push_back(std::move(done));
        return;
    }
    (void)os::make_directories(state.directory);
    const std::string base = state.directory + "/" + sha256;
    Kept kept = read_kept(base + ".have");
    if (!os::path_exists(base + ".part")) kept = {};
    auto fetch = std::make_shared<Fetch>(
        Fetch{sha256,
              base + ".part",
              base + ".have",
              BlobPlan(std::move(hosts), kBlobPartBytesMax, kept.total, std::move(kept.parts)),
              {std::move(done)}});
    state.fetches[sha256] = fetch;
    state.deps.log.info("image file is fetched",
                        {{"sha256", sha256}, {"bytes_kept", fetch->plan.bytes_done()}});
    state.deps.executor.post([self = state_, fetch] { self->drive(fetch); });
}

void BlobFetcher::State::drive(const std::shared_ptr<Fetch>& fetch) {
    if (fetch->ended) return;
    deps.executor.cancel(fetch->wake);
    fetch->wake = 0;
    if (fetch->plan.complete()) {
        if (fetch->pieces_written_now == 0) finish(fetch);
        return;
    }
    for (const BlobQuestion& question : fetch->plan.next(deps.clock.mono()))
        deps.ask(question.host, fetch->sha256, question.offset, question.length,
                 [self = shared_from_this(), fetch, question](Result<BlobPart> part) {
                     if (!fetch->ended) self->take(fetch, question, std::move(part));
                 });
    if (const auto error = fetch->plan.hopeless()) return end(fetch, fail(*error));
    if (const auto wake = fetch->plan.wake_at())
        fetch->wake =
            deps.executor.after(std::max(Millis{1}, *wake - deps.clock.mono()),
                                [self = shared_from_this(), fetch] { self->drive(fetch); });
}

// Written first, counted after: what the plan calls done is on the disk.
void BlobFetcher::State::take(const std::shared_ptr<Fetch>& fetch, const BlobQuestion& question,
                              Result<BlobPart> part) {
    if (!part) {
        fetch->plan.failed(question, part.error(), deps.clock.mono());
        return drive(fetch);
    }
    const std::uint64_t bytes = part->bytes.size(), total = part->total_bytes;
    ++fetch->pieces_written_now;
    deps.workers.run<bool>(
        deps.executor,
        [path = fetch->part_file, offset = question.offset,
         bytes = std::move(part->bytes)]() -> Result<bool> {
            RETURN_IF_ERROR(write_at(path, offset, bytes));
            return true;
        },
        [self = shared_from_this(), fetch, question, bytes, total](Result<bool> written) {
            --fetch->pieces_written_now;
            if (fetch->ended) return;
            if (!written) return self->end(fetch, fail(written.error()));
            (void)fetch->plan.arrived(question, bytes, total);
            if (self->deps.progress)
                self->deps.progress(fetch->sha256, fetch->plan.bytes_done(),
                                    fetch->plan.total_bytes());
            self->keep_list(fetch);
            self->drive(fetch);
        });
}

void BlobFetcher::State::keep_list(const std::shared_ptr<Fetch>& fetch) {
    fetch->stale = true;
    if (fetch->writing) return;
    fetch->writing = true;
    fetch->stale = false;
    deps.workers.run<bool>(
        deps.executor,
        [path = fetch->have_file, text = kept_text(fetch->plan)]() -> Result<bool> {
            RETURN_IF_ERROR(os::replace_file(path, text));
            return true;
        },
        [self = shared_from_this(), fetch](const Result<bool>&) {
            fetch->writing = false;
            if (fetch->stale && !fetch->ended) self->keep_list(fetch);
        });
}

void BlobFetcher::State::finish(const std::shared_ptr<Fetch>& fetch) {
    deps.workers.run<std::string>(
        deps.executor,
        [sha256 = fetch->sha256, part = fetch->part_file, have = fetch->have_file,
         keep = deps.keep]() -> Result<std::string> {
            ASSIGN_OR_RETURN(const std::string found, sha256_of_file(part));
            RETURN_IF_ERROR(os::remove_file(have));
            if (found != sha256) {
                RETURN_IF_ERROR(os::remove_file(part));
                return fail(ErrorCode::kInternal,
                            "the file that arrived is not " + sha256 + " but " + found,
                            "one of the hosts has a damaged copy: blixard doctor on each");
            }
            auto path = keep(part, sha256);
            (void)os::remove_file(part);
            return path;
        },
        [self = shared_from_this(), fetch](Result<std::string> path) {
            self->end(fetch, std::move(path));
        });
}

void BlobFetcher::State::end(const std::shared_ptr<Fetch>& fetch, Result<std::string> result) {
    if (std::exchange(fetch->ended, true)) return;
    deps.executor.cancel(fetch->wake);
    fetches.erase(fetch->sha256);
    if (!result)
        deps.log.warn("image file could not be fetched",
                      {{"sha256", fetch->sha256}, {"error", describe(result.error())}});
    for (auto& waiting : std::exchange(fetch->waiting, {})) waiting(result);
}

}  // namespace blixard::cluster
