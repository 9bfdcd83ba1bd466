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
    bool verifying = false;
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
    void verify(const std::shared_ptr<Fetch>& fetch);
    void verified(const std::shared_ptr<Fetch>& fetch, const std::string& found);
    void keep(const std::shared_ptr<Fetch>& fetch);
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

std::set<std::string> BlobFetcher::names_under_way() const {
    std::set<std::string> names;
    for (const auto& [sha256, fetch] : state_->fetches) names.insert(sha256);
    return names;
}

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
        // The list of parts is written last, and whole: nothing writes into the file any more.
        if (fetch->pieces_written_now == 0 && !fetch->writing && !fetch->verifying) verify(fetch);
        return;
    }
    for (const BlobQuestion& question : fetch->plan.next(deps.clock.mono()))
        deps.ask(question.host, fetch->sha256, question.offset, question.length,
                 [self = shared_from_this(), fetch, question](Result<BlobPart> part) {
                     if (!fetch->ended) self->take(fetch, question, std::move(part));
                 });
    if (const auto error = fetch->plan.hopeless()) return end(fetch, fail(*error));
    const MonoTime now = deps.clock.mono();
    if (const auto wake = fetch->plan.wake_at(now))
        fetch->wake = deps.executor.after(
            *wake - now, [self = shared_from_this(), fetch] { self->drive(fetch); });
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
            if (const Status fits = fetch->plan.arrived(question, bytes, total); !fits)
                self->deps.log.warn("image file is not taken from host",
                                    {{"sha256", fetch->sha256}, {"error", fits.error().message}});
            if (self->deps.progress)
                self->deps.progress({fetch->sha256, fetch->plan.bytes_done(),
                                     fetch->plan.total_bytes(), fetch->plan.sources()});
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
            if (fetch->ended) return;
            if (fetch->stale) return self->keep_list(fetch);
            if (fetch->plan.complete()) self->drive(fetch);
        });
}

void BlobFetcher::State::verify(const std::shared_ptr<Fetch>& fetch) {
    fetch->verifying = true;
    deps.workers.run<std::string>(
        deps.executor, [part = fetch->part_file] { return sha256_of_file(part); },
        [self = shared_from_this(), fetch](const Result<std::string>& found) {
            if (fetch->ended) return;
            if (!found) return self->end(fetch, fail(found.error()));
            self->verified(fetch, *found);
        });
}

void BlobFetcher::State::verified(const std::shared_ptr<Fetch>& fetch, const std::string& found) {
    if (found == fetch->sha256) return keep(fetch);
    const auto damaged = fetch->plan.reject();
    deps.log.warn("what arrived is not the image file that was asked for; it is fetched anew",
                  {{"sha256", fetch->sha256},
                   {"found", found},
                   {"damaged_copy_on", damaged.value_or("one of several hosts")}});
    deps.workers.run<bool>(
        deps.executor,
        [part = fetch->part_file, have = fetch->have_file]() -> Result<bool> {
            RETURN_IF_ERROR(os::remove_file(have));
            RETURN_IF_ERROR(os::remove_file(part));
            return true;
        },
        [self = shared_from_this(), fetch](const Result<bool>& removed) {
            fetch->verifying = false;
            if (!removed) return self->end(fetch, fail(removed.error()));
            self->drive(fetch);
        });
}

void BlobFetcher::State::keep(const std::shared_ptr<Fetch>& fetch) {
    deps.workers.run<std::string>(
        deps.executor,
        [sha256 = fetch->sha256, part = fetch->part_file, have = fetch->have_file,
         keep = deps.keep]() -> Result<std::string> {
            auto path = keep(part, sha256);
            (void)os::remove_file(part);
            (void)os::remove_file(have);
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
    if (result)
        deps.log.info("image file was fetched",
                      {{"sha256", fetch->sha256}, {"bytes", fetch->plan.total_bytes()}});
    else
        deps.log.warn("image file could not be fetched",
                      {{"sha256", fetch->sha256}, {"error", describe(result.error())}});
    for (auto& waiting : std::exchange(fetch->waiting, {})) waiting(result);
}

}  // namespace blixard::cluster
